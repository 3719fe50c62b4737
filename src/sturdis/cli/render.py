"""`sturdis render`: the GitOps tree of a spec."""

import functools
from collections.abc import Sequence
from pathlib import Path

import click

from sturdis import wiring
from sturdis.cli import agreeing
from sturdis.cli.options import json_option, spec_option
from sturdis.cli.output import Output
from sturdis.core import errors
from sturdis.core.cluster import Manifest
from sturdis.core.errors import UsageError
from sturdis.core.render import writing
from sturdis.core.render.writing import RenderPlan


@click.command
@spec_option("STURDIS_SPEC, else ./sturdis.yaml, else the defaults")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the tree begins, in a work tree its top; default: here.",
)
@click.option("--check", is_flag=True, help="Write nothing; show what differs, and exit with 1.")
@click.option("--stdout", is_flag=True, help="Print the objects instead, as kubectl reads them.")
@click.option("--yes", is_flag=True, help="Agree to lose what was edited by hand, and to problems.")
@json_option
@click.pass_obj
def command(
    output: Output,
    spec_file: Path | None,
    environment: str | None,
    folder: Path | None,
    check: bool,
    stdout: bool,
    yes: bool,
) -> int:
    """Write the GitOps tree of the spec.

    That is a Kustomize base, an overlay per environment, and the Argo CD Application. --env chooses
    what that deploys, or whose objects --stdout prints.

    Exit status: 0 when the tree is as rendered, 1 when --check finds that it is not.
    """
    if stdout:
        _refuse_together(check=check, folder=folder)
        _print(output, wiring.rendered_objects(spec_file, environment))
        return errors.OK
    agree = None if check else functools.partial(_agree, output, yes)
    place = folder or Path()
    plan = wiring.render(place, spec_file=spec_file, environment=environment, agree=agree)
    if output.json:
        output.value(_values(plan))
    elif check:
        for told in (*plan.problems, *plan.notes):
            output.warning(told)
        output.text("\n".join(writing.difference(plan)) or f"{plan.folder} is as rendered")
    else:
        output.text(_text(plan))
    return errors.CHECK_FAILED if check and plan.changes else errors.OK


def _refuse_together(*, check: bool, folder: Path | None) -> None:
    if check or folder is not None:
        raise UsageError(
            "usage",
            f"{'--check' if check else '--output'} and --stdout do not go together",
            why="one is for a folder, the other looks at none",
            do="leave one of them out",
        )


def _print(output: Output, manifests: Sequence[Manifest]) -> None:
    if output.json:
        output.value(list(manifests))
        return
    from sturdis.core.render import yamltext  # noqa: PLC0415  YAML for those who want it

    output.text(yamltext.stream(manifests).removesuffix("\n"))


def _agree(output: Output, yes: bool, plan: RenderPlan) -> None:
    """Show what would be lost, or is a problem; go on when it is agreed to.

    Raises:
        UsageError: `usage.not_agreed`.
    """
    output.text(str(plan), err=True)
    if plan.problems:
        agreeing.ask(
            "Write it all the same?",
            yes=yes,
            refused="nothing was written: the data of what is deployed could not be read",
            problems=plan.problems,
            do="write engine.image of before, or a newer release of it, into the spec; where "
            "nothing is deployed yet: sturdis render --yes",
        )
        return
    agreeing.ask(
        "Lose what was edited?",
        yes=yes,
        refused=f"{len(plan.edited)} edited files were not replaced, and nothing was written",
        do="say it in the spec; or move the files away; or sturdis render --yes",
    )


def _values(plan: RenderPlan) -> dict[str, object]:
    return {
        "folder": plan.folder,
        "changes": [
            {"path": one.path, "change": one.change.value, "edited": one.edited}
            for one in plan.changes
        ],
        "problems": list(plan.problems),
        "notes": list(plan.notes),
    }


def _text(plan: RenderPlan) -> str:
    return str(plan) or f"{plan.folder} is as rendered"
