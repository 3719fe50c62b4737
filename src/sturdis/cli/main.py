"""The command line: verbs loaded when they are called, and the one error boundary."""

import errno
import importlib
import signal
import sys
from typing import NoReturn

import click

from sturdis import __version__
from sturdis.cli.output import Output, lost
from sturdis.core import errors
from sturdis.core.errors import MachineError, OutputError, SturdisError, UsageError

VERBS = {
    "up": ("sturdis.cli.up", "Run the deployment on this machine, on a real server."),
    "verify": ("sturdis.cli.verify", "Check every promise against what runs."),
    "render": ("sturdis.cli.render", "Write the GitOps tree of the spec."),
    "apply": ("sturdis.cli.apply", "Bring a cluster to the spec, and wait until it serves."),
    "grow": ("sturdis.cli.grow", "Give a running deployment's volume the size of its spec."),
    "doctor": ("sturdis.cli.doctor", "Say what is wrong, why, and what to type next."),
    "drill": (
        "sturdis.cli.drill",
        "Break it on purpose, under load, and account for every job.",
    ),
    "cli": ("sturdis.cli.redis_cli", "Send one Redis command to what runs."),
    "copy": ("sturdis.cli.copy", "Copy the append-only file of what runs into a new folder."),
    "repair": ("sturdis.cli.repair", "Mend a damaged append-only file."),
    "spec": ("sturdis.cli.spec", "Show what a sturdis.yaml may say."),
}
"""Verb to the module that holds its `command`, and what it does in one line."""


class LazyGroup(click.Group):
    """A group that imports a verb's module only when that verb is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Name the verbs in the order of their table."""
        return list(VERBS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import the verb `name`."""
        if name not in VERBS:
            return None
        command = importlib.import_module(VERBS[name][0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{VERBS[name][0]}.command is no command")
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing any."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_module, text) in VERBS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="sturdis", message="%(prog)s %(version)s")
def group() -> None:
    """One sturdy Redis for BullMQ: run it, prove it, and know what a fault can cost."""


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit status; every error is printed here."""
    output = Output()
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # see sturdis.__main__
        status = group.main(arguments, prog_name="sturdis", standalone_mode=False, obj=output)
    except SturdisError as error:
        output.error(error)
        return error.exit_status
    except click.exceptions.NoArgsIsHelpError as error:
        output.aside(error.ctx.get_help() if error.ctx else error.format_message())
        return errors.USAGE
    except click.UsageError as error:
        output.json |= "--json" in arguments  # the option may stand behind what is not understood
        output.error(_usage(error))
        return errors.USAGE
    except (KeyboardInterrupt, click.Abort):
        output.aside("interrupted")
        return errors.INTERRUPTED
    except Exception as error:  # noqa: BLE001  the boundary
        return _unforeseen(output, error)
    return int(status or errors.OK)


def _is_of_an_interrupt(error: BaseException) -> bool:
    """Tell whether Ctrl-C is behind an error: Python 3.11 wraps what `__set_name__` raises."""
    return isinstance(error, KeyboardInterrupt) or (
        error.__cause__ is not None and _is_of_an_interrupt(error.__cause__)
    )


def _unforeseen(output: Output, error: Exception) -> int:
    """Tell of a defect of ours; or of what the system refused, a full disk behind --help too."""
    if _is_of_an_interrupt(error):
        output.aside("interrupted")
        return errors.INTERRUPTED
    import traceback  # noqa: PLC0415  6 ms that only this pays

    codes = (frame.f_code for frame, _line in traceback.walk_tb(error.__traceback__))
    if isinstance(error, OSError) and click.echo.__code__ in codes:
        output.error(lost(sys.stdout, error))
        return OutputError.exit_status
    if why := _refused_by_the_system(error):
        output.error(_exhausted(why))
        return MachineError.exit_status
    traceback.print_exception(error)
    output.aside("error: this is a bug in sturdis; please report the lines above")
    return errors.BUG


def _refused_by_the_system(error: Exception) -> str:
    """Say what the system did not give, where that is what happened; else nothing."""
    if isinstance(error, MemoryError):
        return "no memory was left"
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        return "no thread could be started"
    if not isinstance(error, OSError):
        return ""
    exhausted = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
    return error.strerror or "" if error.errno in exhausted else ""


def _exhausted(why: str) -> MachineError:
    return MachineError(
        "machine.exhausted",
        "the system does not give what is needed to run",
        why=why,
        do="ulimit -a    shows the limits of this shell; end other programs, or raise a limit",
    )


def _usage(error: click.UsageError) -> UsageError:
    path = error.ctx.command_path if error.ctx else "sturdis"
    lines = error.format_message().splitlines()
    why = "" if error.ctx is None else error.ctx.command.get_usage(error.ctx)
    return UsageError("usage", lines[0], why=why.removeprefix("Usage: "), do=f"{path} --help")


def main() -> NoReturn:
    """Run the command line of this process."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # end as Ctrl-C does: what was made is removed
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))
