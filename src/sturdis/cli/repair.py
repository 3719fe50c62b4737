"""`sturdis repair`: mend a damaged append-only file, its plan shown and proven first."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sturdis import wiring
from sturdis.cli import agreeing, repair_telling
from sturdis.cli.options import json_option
from sturdis.cli.output import Output, is_terminal

if TYPE_CHECKING:
    from sturdis.core.aof.copying import Step
    from sturdis.core.repair.plan import Plan


@click.command
@click.option("--dry-run", is_flag=True, help="Show the plan; the folder is only read.")
@click.option("--yes", is_flag=True, help="Agree to the plan without being asked.")
@click.option(
    "--server",
    metavar="PATH",
    help="Server to prove the result with; default: that of the folder, else one that reads it.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where the whole folder is copied to first; default: beside it.",
)
@json_option
@click.argument("data", type=click.Path(path_type=Path), metavar="DATA")
@click.pass_obj
def command(
    output: Output, data: Path, dry_run: bool, yes: bool, server: str | None, keep: Path | None
) -> None:
    """Mend a damaged append-only file.

    What is damaged, what is kept and what becomes of BullMQ's jobs is shown first, proven by a
    server that loads it. Then the folder is copied, and given its new files at one moment. No
    server may run on it.
    """

    def agree(plan: "Plan") -> bool:
        output.text(repair_telling.plan_text(plan), err=True)
        quoted = shlex.quote(str(data))
        do = f"sturdis repair {quoted} --yes"
        agreeing.ask("Repair it?", yes=yes, refused="nothing was changed", do=do)
        return True

    repaired = wiring.repair(
        data,
        agree=agree,
        dry_run=dry_run,
        server=server,
        keep=keep,
        tell=_show if is_terminal(sys.stderr) else _pass,
    )
    if is_terminal(sys.stderr):
        click.echo("\r\x1b[K", nl=False, err=True)
    if output.json:
        output.value(repair_telling.values(repaired))
    else:
        output.text(repair_telling.text(repaired, dry_run=dry_run))


def _show(step: "Step") -> None:
    share = f" {100 * step.done // step.total} %" if step.total else ""
    click.echo(f"\r{step.doing}{share}\x1b[K\r", nl=False, err=True)


def _pass(_step: "Step") -> None:
    """Tell nothing where nobody reads."""
