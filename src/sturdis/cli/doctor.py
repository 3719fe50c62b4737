"""`sturdis doctor`: what is wrong, why, and what to type next."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sturdis.cli import agreeing
from sturdis.cli.options import json_option, spec_option
from sturdis.cli.output import Output, labelled, paint
from sturdis.cli.reach import Where, cluster_options
from sturdis.cli.waiting import WaitingLine
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.doctor.diagnosis import Diagnoses, Diagnosis, Severity
from sturdis.core.errors import OK, UsageError
from sturdis.wiring import doctoring, load_spec

if TYPE_CHECKING:
    from sturdis.core.doctor.declaring import Declaring
    from sturdis.core.spec import Spec
    from sturdis.flows.doctor import Moved

COLOURS = {Severity.CRITICAL: "red", Severity.SERIOUS: "yellow", Severity.MINOR: "white"}


@click.command
@spec_option("STURDIS_SPEC, else ./sturdis.yaml, else the defaults")
@cluster_options
@click.option(
    "--node-is-off",
    metavar="NODE",
    help="You have seen that this node is off: move the pod away from it.",
)
@click.option("--node-returned", metavar="NODE", help="This node is back: let it take pods again.")
@click.option("--yes", is_flag=True, help="Agree to the plan without being asked.")
@json_option
@click.pass_obj
def command(
    output: Output,
    spec_file: Path | None,
    environment: str | None,
    where: Where,
    node_is_off: str | None,
    node_returned: str | None,
    yes: bool,
) -> int:
    """Say what is wrong, why, and what to type next.

    It looks at the deployment of the spec in the cluster of --context, and changes nothing. What is
    wrong is told with its evidence, the worst first. A node that is off is declared so by you.

    Exit status: 0 when nothing is wrong, 1 when something is, 3 when that could not be determined.
    """
    spec = load_spec(spec_file, environment)
    request = _request(where, spec_file, environment)
    if node_is_off is not None and node_returned is not None:
        raise UsageError(
            "usage", "--node-is-off and --node-returned are both given",
            why="a node is moved away from, or taken back", do="leave one of them out",
        )  # fmt: skip
    if node_is_off is not None:
        return _declare_off(output, request, spec, node_is_off, yes=yes)
    if node_returned is not None:
        return _take_off(output, request, spec, node_returned)
    found = doctoring.examine(request, spec)
    if output.json:
        output.value(_values(found))
    else:
        output.text(_text(found))
    return found.exit_status


def _request(where: Where, spec_file: Path | None, environment: str | None) -> ClusterRequest:
    if not where.names_a_cluster(None):
        raise UsageError(
            "usage",
            "doctor is told of no cluster",
            why="so far it looks at deployments in a cluster alone",
            do="sturdis doctor --context CONTEXT; for any other target sturdis verify",
        )
    file = None if spec_file is None else str(spec_file)
    return ClusterRequest(where.context or "", where.namespace, file, environment)


def _declare_off(
    output: Output, request: ClusterRequest, spec: "Spec", node: str, *, yes: bool
) -> int:
    line = WaitingLine(output)
    again = f"{request.doctor} --node-is-off {node}"
    try:
        moved = doctoring.declare_off(
            request, spec, node=node,
            agree=lambda plan: _agree(output, plan, again, yes=yes),
            done=lambda step: output.aside(f"done      {step}"),
            waiting=line.show,
        )  # fmt: skip
    except KeyboardInterrupt:
        line.end()
        output.aside(f"what is done stays done; {again} goes on from there")
        raise
    finally:
        line.end()
    back = f"{request.doctor} --node-returned {node}"
    if output.json:
        output.value(_moved(moved) | {"next": back})
    else:
        output.text(
            f"serves   on {moved.node}, after {moved.seconds:.1f} s\n"
            f"taint    stays on {node} until it is back; then {back}\n"
            f"next     {request.doctor}"
        )
    return OK


def _agree(output: Output, plan: "Declaring", again: str, *, yes: bool) -> None:
    """Show the plan; go on when it is agreed to.

    Raises:
        UsageError: `usage.not_agreed`.
    """
    for warning in plan.warnings:
        output.warning(warning)
    output.text(str(plan), err=True)
    agreeing.ask(
        f"Have you seen that {plan.node} is off?",
        yes=yes,
        refused=f"node {plan.node} was not declared off",
        do=f"{again} --yes    once you have seen that it is off",
    )


def _take_off(output: Output, request: ClusterRequest, spec: "Spec", node: str) -> int:
    changed = doctoring.take_off(request, spec, node=node)
    if output.json:
        output.value({"node": node, "changed": changed})
    elif changed:
        output.text(f"node {node} takes pods again; the pod stays where it is")
    else:
        output.text(f"nothing to change: node {node} is not declared off")
    return OK


def _moved(moved: "Moved") -> dict[str, object]:
    return {
        "node": moved.declared.node,
        "target": moved.declared.target,
        "serves_on": moved.node,
        "seconds": round(moved.seconds, 3),
    }


def _values(found: Diagnoses) -> dict[str, object]:
    return {
        "target": found.target,
        "verdict": found.verdict,
        "findings": [
            {
                "id": one.id,
                "severity": one.severity.value,
                "what": one.what,
                "seen": one.seen,
                "why": one.why,
                "do": one.do,
            }
            for one in found.found
        ],
        "unseen": [one.reason for one in found.unseen],
    }


def _text(found: Diagnoses) -> str:
    blocks = [_block(one) for one in found.found]
    blocks += [labelled("unseen    ", one.reason) for one in found.unseen]
    return "\n".join((found.target, "", *blocks, *([""] if blocks else []), found.counts))


def _block(one: Diagnosis) -> str:
    head = f"{paint(f'{one.severity.value:<10}', COLOURS[one.severity])}{one.id:<20}{one.what}"
    lines = (_below("seen:", one.seen), _below("why:", one.why), _below("do:", one.do))
    return "\n".join((head, *lines))


def _below(label: str, text: str, indent: int = 30) -> str:
    return labelled(f"{label:<6}", text, indent=" " * indent)
