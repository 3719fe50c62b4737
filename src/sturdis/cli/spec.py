"""`sturdis spec`: what a sturdis.yaml may say, and what it says."""

from pathlib import Path

import click
import msgspec

from sturdis import wiring
from sturdis.cli.options import json_option, spec_option
from sturdis.cli.output import Output
from sturdis.core.spec import environments
from sturdis.core.spec import schema as specschema
from sturdis.core.spec import show as specshow


@click.group
def command() -> None:
    """Show what a sturdis.yaml may say."""


@command.command
@spec_option("STURDIS_SPEC, else ./sturdis.yaml, else the defaults")
@json_option
@click.pass_obj
def show(output: Output, spec_file: Path | None, environment: str | None) -> None:
    """Show every key with its value, its meaning, and where it is written.

    What is shown is itself a spec.
    """
    file = wiring.load_spec_file(spec_file)
    if output.json:
        values = msgspec.to_builtins(file.deployment(environment).spec)
        differing = file.overlays if environment is None else {}
        output.value(values | {environments.KEY: differing})
    else:
        output.text(specshow.annotated(file, environment))


@command.command
@json_option
@click.pass_obj
def schema(output: Output) -> None:
    """Print the JSON Schema of a sturdis.yaml, for editors; with --json on one line."""
    if output.json:
        output.value(specschema.schema())
    else:
        import json  # noqa: PLC0415  4 ms that only this pays

        output.text(json.dumps(specschema.schema(), indent=2, ensure_ascii=False))
