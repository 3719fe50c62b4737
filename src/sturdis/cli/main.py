"""The command line: verbs loaded when they are called, and the one error boundary."""

import importlib
import signal
import sys
from typing import NoReturn

import click

from sturdis import __version__
from sturdis.cli.output import Output
from sturdis.core import errors
from sturdis.core.errors import SturdisError, UsageError

VERBS = {
    "up": ("sturdis.cli.up", "Run the deployment on this machine, on a real server."),
    "verify": ("sturdis.cli.verify", "Check every promise against what runs."),
    "cli": ("sturdis.cli.redis_cli", "Send one Redis command to what runs."),
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
        status = group.main(arguments, prog_name="sturdis", standalone_mode=False, obj=output)
    except SturdisError as error:
        output.error(error)
        return error.exit_status
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message(), err=True)
        return errors.USAGE
    except click.UsageError as error:
        output.json |= "--json" in arguments  # the option may stand behind what is not understood
        output.error(_usage(error))
        return errors.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return errors.INTERRUPTED
    except Exception:  # noqa: BLE001  the boundary: what gets here is a defect of ours
        import traceback  # noqa: PLC0415  6 ms that only a defect pays

        traceback.print_exc()
        click.echo("error: this is a bug in sturdis; please report the lines above", err=True)
        return errors.BUG
    return int(status or errors.OK)


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
