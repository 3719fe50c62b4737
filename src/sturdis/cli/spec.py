"""`sturdis spec`: what a sturdis.yaml may say, and what it says."""

from pathlib import Path

import click
import msgspec

from sturdis import wiring
from sturdis.cli.options import json_option, spec_option
from sturdis.cli.output import Output
from sturdis.core import specfile


@click.group
def command() -> None:
    """Show what a sturdis.yaml may say."""


@command.command
@spec_option("sturdis.yaml in this folder, else the defaults")
@json_option
@click.pass_obj
def show(output: Output, spec_file: Path | None) -> None:
    """Show every key with its value, its meaning and the reason for its default."""
    spec = wiring.load_spec(spec_file)
    if output.json:
        output.value(msgspec.to_builtins(spec))
    else:
        output.text(specfile.annotated(spec))
