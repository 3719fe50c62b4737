"""`sturdis drill`: break it on purpose, and account for every job."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sturdis import wiring
from sturdis.cli import drill_telling
from sturdis.cli.options import Command, json_option, spec_option
from sturdis.cli.output import Output
from sturdis.cli.reach import Where, cluster_options
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.drill import asking
from sturdis.core.drill.asking import LOCAL, DrillRequest
from sturdis.core.drill.stored import Choices
from sturdis.core.errors import SturdisError, UsageError
from sturdis.core.report import exit_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from sturdis.core.drill.undo import Step


@click.group
def command() -> None:
    """Break it on purpose, under load, and account for every job."""


_TARGET_OPTIONS: "tuple[Callable[[Any], Any], ...]" = (
    click.option(
        "--target",
        metavar="TARGET",
        help="What to break: `local`, a server of the drill's own (default); `up` or an address, "
        "an `up --drills` of yours.",
    ),
    cluster_options,
    click.option(
        "--hooks",
        metavar="FILE",
        envvar="STURDIS_DRILL_HOOKS",
        help="Commands that reach the nodes of the cluster.",
    ),
    spec_option("as for up; it names the deployment in the cluster"),
    click.option(
        "--server",
        metavar="PATH",
        help="The drill's own server; `embedded` is the one that comes with Sturdis.",
    ),
)


def target_options(command: Command) -> Command:
    """Give a command the options that name a target, which it takes as `request`."""

    @functools.wraps(command)
    def gathered(
        *arguments: Any,
        target: str | None,
        where: Where,
        hooks: str | None,
        spec_file: Path | None,
        environment: str | None,
        server: str | None,
        **options: Any,
    ) -> Any:
        in_cluster = where.names_a_cluster(target)
        _refuse_idle_hooks(in_cluster=in_cluster)
        spec_name = None if spec_file is None else str(spec_file)
        choices = Choices(
            target=(where.context if in_cluster else target) or LOCAL,
            server=server,
            hooks=hooks if in_cluster else None,
            namespace=where.namespace,
            in_cluster=in_cluster,
            spec=spec_name if in_cluster else None,
            environment=environment if in_cluster else None,
        )
        if not in_cluster:
            return command(*arguments, request=DrillRequest(choices), **options)
        cluster = ClusterRequest(where.context, where.namespace, spec_name, environment)
        spec = wiring.load_spec(spec_file, environment)
        request = DrillRequest(choices, cluster=cluster, spec=spec)
        return command(*arguments, request=request, **options)

    return functools.reduce(
        lambda inner, option: option(inner), reversed(_TARGET_OPTIONS), gathered
    )  # type: ignore[return-value]


@command.command(name="list")
@target_options
@json_option
@click.pass_obj
def list_drills(output: Output, request: DrillRequest) -> None:
    """Name the drills: what is believed, and whether they can be run here."""
    listed = wiring.list_drills(request)
    if output.json:
        output.value({"drills": [drill_telling.listed_values(one) for one in listed]})
    else:
        output.text("\n\n".join(map(drill_telling.listed_text, listed)))


@command.command
@target_options
@click.option("--all", "every", is_flag=True, help="Run each that this kind of target can run.")
@click.option(
    "--seed",
    type=int,
    metavar="N",
    help="Decides when faults come, what they do, which jobs are added; default: drawn.",
)
@click.option("--rounds", type=int, metavar="N", help="How often the fault comes.")
@click.option("--no-guard", is_flag=True, help="Start the server without looking at its data.")
@click.option("--configuration", metavar="NAME", help="Give it the settings of another deployment.")
@click.option(
    "--modules",
    metavar="FOLDER",
    help="The Node BullMQ is in its node_modules; default: examples/bullmq, or this folder's.",
)
@click.option("--keep", is_flag=True, help="Keep the server's data where the drill passed, too.")
@json_option
@click.argument("drills", nargs=-1, metavar="[NAME|FILE]…")
@click.pass_obj
def run(
    output: Output,
    request: DrillRequest,
    every: bool,
    seed: int | None,
    rounds: int | None,
    no_guard: bool,
    configuration: str | None,
    modules: str | None,
    keep: bool,
    drills: tuple[str, ...],
) -> int:
    """Run drills, one after the other.

    Ctrl-C ends the drill; what it broke is mended first. Exit status: 0 when all pass, 1 when one
    fails, 3 when one is unknown and none fails.
    """
    _refuse_none_or_both(every=every, drills=drills)
    wanted = asking.with_options(
        request,
        drills=drills,
        seed=seed,
        rounds=rounds,
        guarded=not no_guard,
        configuration=configuration,
        modules=modules,
        keep=keep,
    )
    telling = drill_telling.ForPrograms() if output.json else drill_telling.ForPeople(output)
    runs = wiring.run_drills(wanted, telling)
    if output.json:
        output.value(drill_telling.runs_values(runs))
    elif len(runs) > 1:
        output.text(drill_telling.table(runs))
    return exit_status(one.verdict for one in runs)


def _refuse_idle_hooks(*, in_cluster: bool) -> None:
    typed = click.get_current_context().get_parameter_source("hooks")
    if typed is ParameterSource.COMMANDLINE and not in_cluster:
        raise UsageError(
            "usage",
            "--hooks is without --context",
            why="its commands reach the nodes of a cluster, and no cluster is named",
            do="name the cluster with --context, or leave --hooks out",
        )


def _refuse_none_or_both(*, every: bool, drills: tuple[str, ...]) -> None:
    if every == bool(drills):
        raise UsageError(
            "usage",
            "--all is given, and drills are named" if every else "no drill is named",
            why="either is asked for: some drills, or all",
            do="sturdis drill run kill-9, or --all; sturdis drill list    names them",
        )


@command.command
@click.option("--html", metavar="FILE", help="Write it as one HTML file that needs nothing else.")
@json_option
@click.argument("run", required=False)
@click.pass_obj
def report(output: Output, html: str | None, run: str | None) -> None:
    """Show what a run came to: jobs, figures, a time line, and every job lost or doubled.

    RUN is the name of a run, its beginning, or its folder; default: the latest.
    """
    from sturdis.core.drill import report_html, report_text  # noqa: PLC0415  for this alone

    told = wiring.report_drill(run)
    if html is not None:
        wiring.write_report(html, report_html.page(told))
    if output.json:
        output.value({**drill_telling.run_values(told.run), **report_text.values(told)})
    elif html is None:
        output.text("\n".join(report_text.lines(told)))
    else:
        output.text(f"wrote {html}")


@command.command
@json_option
@click.pass_obj
def undo(output: Output) -> None:
    """Undo what drills left behind that were killed themselves."""
    steps: list[Step] = []
    try:
        wiring.undo_drills(steps.append)
    except SturdisError:  # what was undone is told all the same
        for step in steps:
            output.text(_undone(step), err=output.json)
        raise
    if output.json:
        output.value({"undone": [drill_telling.step_values(step) for step in steps]})
    else:
        output.text("\n".join(map(_undone, steps)) or "nothing is left to be undone")


def _undone(step: "Step") -> str:
    return f"undone   {drill_telling.step_text(step)}"
