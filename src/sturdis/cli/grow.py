"""`sturdis grow`: give a running deployment's volume the size of its spec."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sturdis import wiring
from sturdis.cli import agreeing
from sturdis.cli.options import CONTEXT, json_option, spec_option
from sturdis.cli.output import Output, paint
from sturdis.cli.waiting import Seconds, WaitingLine, naming
from sturdis.core.typed import Typed

if TYPE_CHECKING:
    from sturdis.core.apply.plan import Step
    from sturdis.core.grow.plan import Growth
    from sturdis.flows.grow import Grown
    from sturdis.wiring.growing import Sized


@click.command
@spec_option("STURDIS_SPEC, else ./sturdis.yaml, else the defaults")
@click.option(
    "--context", type=CONTEXT, metavar="CTX", help="Of the kubeconfig; default: the current one."
)
@click.option("--dry-run", is_flag=True, help="Show the plan; change nothing.")
@click.option("--yes", is_flag=True, help="Agree to the plan without being asked.")
@click.option(
    "--wait",
    "seconds",
    type=Seconds(min=0, min_open=True),
    default=wiring.GROW_SECONDS,
    metavar="SECONDS",
    help="Longest wait until the volume has grown; default: 600.",
)
@json_option
@click.pass_obj
def command(
    output: Output,
    spec_file: Path | None,
    environment: str | None,
    context: str | None,
    dry_run: bool,
    yes: bool,
    seconds: float,
) -> None:
    """Give a running deployment's volume the size of its spec.

    The plan is shown first. The claim grows, then the StatefulSet is made anew around its pod,
    which runs on. What was cut short is completed by the next run. Where Argo CD keeps the set, it
    is told what to commit.
    """
    about = wiring.sized(spec_file, environment)
    typed = Typed(context, None if spec_file is None else str(spec_file), environment)
    told, line = _Telling(output, about, typed, dry_run, yes), WaitingLine(output, typed)
    try:
        with naming(typed):
            grown = wiring.grow(
                spec_file,
                environment,
                context=context,
                seconds=seconds,
                agree=told.agree,
                done=told.done,
                waiting=line.show,
            )
    except KeyboardInterrupt:
        line.end()
        told.interrupted()
        raise
    finally:
        line.end()
    if output.json:
        output.value(_values(about, grown))
    elif not dry_run:
        output.text(_text(about, grown, typed))


@dataclass
class _Telling:
    """What is told while it goes on, and what was done already."""

    output: Output
    about: "Sized"
    typed: Typed
    dry_run: bool
    yes: bool
    agreed: bool = False
    steps: "list[Step]" = field(default_factory=list)

    def agree(self, growth: "Growth") -> bool:
        """Show the plan; give whether it is carried out.

        Raises:
            UsageError: `usage.not_agreed`.
        """
        for warning in growth.warnings:
            self.output.warning(warning)
        if self.dry_run and not self.output.json:
            self.output.text(_plan_text(self.about, growth, self.typed))
        elif not self.dry_run and not growth.is_done:
            self.output.text(_plan_text(self.about, growth, self.typed), err=True)
        if self.dry_run:
            return False
        yes, do = self.yes or not growth.changing, self.typed.command("grow", "--yes")
        agreeing.ask("Grow it?", yes=yes, refused="nothing was grown", do=do)
        self.agreed = True
        return True

    def done(self, step: "Step") -> None:
        """Tell of a step that is done."""
        self.steps.append(step)
        self.output.aside(f"done      {step.action.value} {step.ref}")

    def interrupted(self) -> None:
        """Say how to go on, where something was begun."""
        if self.agreed:
            again = self.typed.command("grow")
            self.output.aside(f"the pod runs on as it was\n  {again}    does the rest")


def _plan_text(about: "Sized", growth: "Growth", typed: Typed) -> str:
    if growth.is_done:
        head = f"nothing to do: {about.claim} has {growth.size}"
        return "\n".join((head, *_committing(about, growth, typed)))
    head = f"sturdis grow does this in namespace {about.namespace} ({growth.kubectl}):"
    return "\n".join((head, *_lines(growth), *_committing(about, growth, typed)))


def _lines(growth: "Growth") -> Iterator[str]:
    if growth.claim is not None:
        change = growth.claim.changes[0]
        yield _line("grow", f"{growth.claim.ref}: {change.before} → {change.after}")
    if growth.waits:
        yield _line("wait", f"until the volume has {growth.size}; the pod runs on")
    if growth.stateful_set is not None:
        step = growth.stateful_set
        yield _line(step.action.value, f"{step.ref}: {step.note}")


def _line(action: str, text: str) -> str:
    return f"  {paint(f'{action:<11}', 'yellow', sys.stderr)}{text}"


def _committing(about: "Sized", growth: "Growth", typed: Typed) -> Iterator[str]:
    """Say what is left to people where the set is kept as it is in Git."""
    if not growth.keeper:
        return
    yield _line("commit", f"the set is kept by {growth.keeper}, so its size changes in Git:")
    yield f"{'':13}{typed.command('render', '-o', 'DIR')}, and commit what changed:"
    yield from (f"{'':13}  {path}" for path in about.files)
    yield _line("then", "while its sync fails, as a set's volume template cannot be changed:")
    yield f"{'':13}{_orphan(about, growth)}"
    yield f"{'':13}and sync once more; the pod runs on, and the new set keeps it"


def _orphan(about: "Sized", growth: "Growth") -> str:
    return f"{growth.kubectl} delete statefulset {about.name} --cascade=orphan"


def _text(about: "Sized", grown: "Grown", typed: Typed) -> str:
    growth = grown.growth
    if growth.is_done:
        return _plan_text(about, growth, typed)
    after = f"after {grown.seconds:.1f} s{_of_the_pod(about, grown)}"
    lines = [f"grown    {about.claim} has {growth.size}, {after}"]
    if growth.keeper:
        lines.append("next     commit the size, as told above")
    else:
        lines.append(f"next     {typed.at(growth.kubectl).command('verify')}")
    return "\n".join(lines)


def _of_the_pod(about: "Sized", grown: "Grown") -> str:
    if grown.ran_on is None:
        return ""
    return f"; pod {about.name}-0 {'ran on' if grown.ran_on else 'was replaced meanwhile'}"


def _values(about: "Sized", grown: "Grown") -> dict[str, object]:
    growth = grown.growth
    return {
        "name": about.name,
        "namespace": about.namespace,
        "claim": about.claim,
        "size": growth.size,
        "done": grown.done,
        "seconds": round(grown.seconds, 3),
        "podRanOn": grown.ran_on,
        "waits": growth.waits,
        "steps": [
            {
                "action": step.action.value,
                "object": str(step.ref),
                "note": step.note,
                "changes": [
                    {"path": one.path, "before": one.before, "after": one.after}
                    for one in step.changes
                ],
            }
            for step in growth.changing
        ],
        "commit": {"keeper": growth.keeper, "files": list(about.files)} if growth.keeper else None,
        "warnings": list(growth.warnings),
    }
