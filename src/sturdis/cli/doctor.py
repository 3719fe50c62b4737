"""`sturdis doctor`: what is wrong, why, and what to type next."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sturdis import wiring
from sturdis.cli import agreeing
from sturdis.cli.options import json_option, spec_option
from sturdis.cli.output import Output, labelled, paint
from sturdis.cli.reach import Reach, SpecChoice, Where, cluster_options, reach_options
from sturdis.cli.waiting import WaitingLine
from sturdis.core.aim import TargetRequest
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.doctor.diagnosis import Diagnoses, Diagnosis, Severity
from sturdis.core.errors import OK, UsageError
from sturdis.wiring import doctoring

if TYPE_CHECKING:
    from sturdis.core.doctor.declaring import Declaring
    from sturdis.core.doctor.healing import Healing
    from sturdis.core.spec import Spec
    from sturdis.flows.doctor import Moved

COLOURS = {Severity.CRITICAL: "red", Severity.SERIOUS: "yellow", Severity.MINOR: "white"}


@click.command
@spec_option("that of the running up, else as for up")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Look at this data folder alone, whether a server runs on it or not.",
)
@click.option("--heal", is_flag=True, help="Let a server take writes again after a failed fsync.")
@cluster_options
@click.option(
    "--node-is-off",
    metavar="NODE",
    help="You have seen that this node is off: move the pod away from it.",
)
@click.option("--node-returned", metavar="NODE", help="This node is back: let it take pods again.")
@click.option("--yes", is_flag=True, help="Agree to the plan without being asked.")
@reach_options
@json_option
@click.argument("target", required=False)
@click.pass_obj
def command(
    output: Output,
    spec_file: Path | None,
    environment: str | None,
    data: Path | None,
    heal: bool,
    where: Where,
    node_is_off: str | None,
    node_returned: str | None,
    yes: bool,
    target: str | None,
    reach: Reach,
) -> int:
    """Say what is wrong, why, and what to type next.

    TARGET is an address as for verify; without it the running `sturdis up` is found. With --context
    it is the deployment of the spec in that cluster. It looks twice, 2 s apart, and changes
    nothing. What is wrong is told with its evidence, the worst first.

    Exit status: 0 when nothing is wrong, 1 when something is, 3 when that could not be determined.
    """
    asked = Asked(node_is_off, node_returned, data, heal=heal)
    asked.refuse_both()
    spec = wiring.load_spec(spec_file, environment) if spec_file or environment else None
    choice = SpecChoice(spec_file, environment)
    aim = reach.anywhere(output, target, where, choice, naming="sturdis doctor")
    if node_is_off is not None:
        return _declare_off(output, _cluster(aim), spec, node_is_off, yes=yes)
    if node_returned is not None:
        return _take_off(output, _cluster(aim), spec, node_returned)
    if heal:
        return _heal(output, aim, spec, yes=yes)
    return _tell(output, wiring.doctor(aim, spec, data=asked.folder(target, where)))


@dataclass(frozen=True)
class Asked:
    """What doctor is asked to do beside looking, as it was typed."""

    node_is_off: str | None
    node_returned: str | None
    data: Path | None
    heal: bool

    def refuse_both(self) -> None:
        """Refuse options that do not go together.

        Raises:
            UsageError: `usage`.
        """
        given = {
            "--node-is-off": self.node_is_off is not None,
            "--node-returned": self.node_returned is not None,
            "--heal": self.heal,
            "--data": self.data is not None,
        }
        named = [option for option, is_given in given.items() if is_given]
        if len(named) > 1:
            raise UsageError(
                "usage",
                f"{named[0]} and {named[1]} are both given",
                why="each is a thing of its own to do",
                do="leave one of them out",
            )

    def folder(self, target: str | None, where: Where) -> Path | None:
        """Give the folder that is looked at in place of a target; None: there is none.

        Raises:
            UsageError: `usage`: both are named, or it is no folder.
        """
        if self.data is None:
            return None
        if target is not None or where.context is not None:
            raise UsageError(
                "usage",
                "two targets are named",
                why="one is a data folder, the other a server",
                do="leave one of them out",
            )
        if not self.data.is_dir():
            raise UsageError(
                "usage",
                f"there is no folder {self.data}",
                why="--data names a data folder, which holds appendonlydir/",
                do="sturdis doctor --data DIR",
            )
        return self.data


def _cluster(aim: TargetRequest | ClusterRequest) -> ClusterRequest:
    """Give the cluster whose node is meant.

    Raises:
        UsageError: `usage`: none is named.
    """
    if isinstance(aim, ClusterRequest):
        return aim
    raise UsageError(
        "usage",
        "doctor is told of no cluster",
        why="a node is part of one",
        do="add --context CONTEXT; kubectl config get-contexts    lists them",
    )


def _tell(output: Output, found: Diagnoses) -> int:
    if output.json:
        output.value(_values(found))
    else:
        output.text(_text(found))
    return found.exit_status


def _heal(
    output: Output, aim: TargetRequest | ClusterRequest, spec: "Spec | None", *, yes: bool
) -> int:
    def agree(plan: "Healing") -> None:
        output.text(str(plan), err=True)
        agreeing.ask("Do it?", yes=yes, refused="nothing was changed", do=plan.agreed)

    healed = wiring.heal(
        aim, spec, agree=agree, done=lambda step: output.aside(f"done      {step}")
    )
    if output.json:
        output.value(
            {
                "target": healed.target,
                "changed": bool(healed.steps),
                "steps": list(healed.steps),
                "seconds": round(healed.seconds, 3),
            }
        )
    elif healed.steps:
        output.text(
            f"healed    {healed.target} takes writes and its file is written anew, after "
            f"{healed.seconds:.1f} s"
        )
    else:
        output.text(f"nothing to heal: {healed.target} takes writes")
    return OK


def _declare_off(
    output: Output, request: ClusterRequest, spec: "Spec | None", node: str, *, yes: bool
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


def _take_off(output: Output, request: ClusterRequest, spec: "Spec | None", node: str) -> int:
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
