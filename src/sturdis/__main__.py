"""Where the command `sturdis` and `python -m sturdis` begin."""

import signal


def main() -> None:
    """Run the command line of this process, and end it.

    Ctrl-C waits while the command line is loaded, about 70 ms: `cli.main.run` answers it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    from sturdis.cli.main import main as command_line  # noqa: PLC0415  once Ctrl-C waits

    command_line()


if __name__ == "__main__":
    main()
