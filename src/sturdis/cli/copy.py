"""`sturdis copy`: a consistent copy of what a live server keeps."""

import shlex
import sys
from pathlib import Path

import click

from sturdis import wiring
from sturdis.cli.options import json_option
from sturdis.cli.output import Output, is_terminal
from sturdis.cli.reach import Reach, reach_options
from sturdis.core import units
from sturdis.core.address import FORMS
from sturdis.core.aof.copying import Copied, Step


@click.command
@click.option("--target", metavar="ADDRESS", help=FORMS)
@reach_options
@json_option
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.pass_obj
def command(output: Output, target: str | None, folder: Path, reach: Reach) -> None:
    """Copy the append-only file of what runs into a new folder.

    Without --target the running `sturdis up` is found. The server must run on this machine, and its
    files must be readable. It goes on serving; `sturdis up --data DIR` runs on the copy at once.
    """
    request = reach.request(output, target, naming="sturdis copy DIR --target")
    copied = wiring.copy(folder, request, _show if is_terminal(sys.stderr) else _pass)
    if output.json:
        output.value(_values(copied))
    else:
        output.text(_text(copied))


def _show(step: Step) -> None:
    share = f" {100 * step.done // step.total} %" if step.total else ""
    click.echo(f"\r{step.doing}{share}\x1b[K\r", nl=False, err=True)


def _pass(_step: Step) -> None:
    """Tell nothing where nobody reads."""


def _values(copied: Copied) -> dict[str, object]:
    return {
        "source": copied.address,
        "folder": copied.folder,
        "files": copied.files,
        "bytes": copied.size,
        "left_out": copied.left_out,
        "server": copied.server,
    }


def _text(copied: Copied) -> str:
    named = "" if copied.server else " --server PATH"
    size = units.human_bytes(copied.size)
    return "\n".join(
        (
            f"copied   {copied.address}, {len(copied.files)} files, {size}",
            f"to       {copied.folder}",
            f"next     sturdis up --data {shlex.quote(copied.folder)}{named}",
        )
    )
