"""`sturdis apply`: bring a cluster to the spec, and wait until it serves."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sturdis import wiring
from sturdis.cli import agreeing
from sturdis.cli.options import CONTEXT, json_option, spec_option
from sturdis.cli.output import Output, paint
from sturdis.cli.waiting import Seconds, WaitingLine, naming
from sturdis.core.ports import REDIS_PORT
from sturdis.core.typed import Typed

if TYPE_CHECKING:
    from sturdis.core.apply.plan import Plan, Step
    from sturdis.core.spec import Spec
    from sturdis.flows.apply import Applied

COLOURS = {"create": "green", "change": "yellow", "re-create": "yellow", "replace": "yellow"}


@click.command
@spec_option("STURDIS_SPEC, else ./sturdis.yaml, else the defaults")
@click.option(
    "--context", type=CONTEXT, metavar="CTX", help="Of the kubeconfig; default: the current one."
)
@click.option("--adopt", is_flag=True, help="Take over what others made, with its claim.")
@click.option("--dry-run", is_flag=True, help="Show the plan; change nothing.")
@click.option("--yes", is_flag=True, help="Agree to the plan without being asked.")
@click.option(
    "--wait",
    "seconds",
    type=Seconds(min=0),
    metavar="SECONDS",
    help="Longest wait until it serves; 0: do not wait. Default: what a start may take, and 120.",
)
@json_option
@click.pass_obj
def command(
    output: Output,
    spec_file: Path | None,
    environment: str | None,
    context: str | None,
    adopt: bool,
    dry_run: bool,
    yes: bool,
    seconds: float | None,
) -> None:
    """Bring a cluster to the spec, and wait until it serves.

    The plan is shown first, and what stands against it is found before anything is changed. What
    the cluster has already is left as it is; a second run changes nothing.
    """
    spec = wiring.load_spec(spec_file, environment)
    typed = Typed(context, None if spec_file is None else str(spec_file), environment)
    told, line = _Telling(output, spec, typed, adopt, dry_run, yes), WaitingLine(output, typed)
    try:
        with naming(typed):
            applied = wiring.apply(
                spec,
                context=context,
                adopt=adopt,
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
        output.value(_values(spec, applied))
    elif text := _text(spec, applied, typed, dry_run=dry_run):
        output.text(text)


@dataclass
class _Telling:
    """What is told while it goes on, and what was told already."""

    output: Output
    spec: "Spec"
    typed: Typed
    adopt: bool
    dry_run: bool
    yes: bool
    plan: "Plan | None" = None
    agreed: bool = False
    applied: "list[Step]" = field(default_factory=list)

    def agree(self, plan: "Plan") -> bool:
        """Show the plan; give whether it is carried out.

        Raises:
            UsageError: `usage.not_agreed`.
        """
        for warning in plan.warnings:
            self.output.warning(warning)
        if not self.output.json or not self.dry_run:
            self.output.text(_plan_text(self.spec, plan), err=not self.dry_run)
        self.plan = plan
        if self.dry_run:
            return False
        # a script that only makes what is not there need not say yes
        yes = self.yes or not plan.changing or (plan.only_creates and not agreeing.can_ask())
        do = self._again("--yes")
        agreeing.ask("Apply it?", yes=yes, refused="nothing was applied", do=do)
        self.agreed = True
        return True

    def _again(self, *more: str) -> str:
        return self.typed.command("apply", *(["--adopt"] if self.adopt else []), *more)

    def done(self, step: "Step") -> None:
        """Tell of a step that is done."""
        self.applied.append(step)
        self.output.aside(f"done      {step.action.value} {step.ref}")

    def interrupted(self) -> None:
        """Say what is done already, and how to go on."""
        if self.plan is None or not self.agreed:
            return
        if len(self.applied) < len(self.plan.changing):
            step = self.plan.changing[len(self.applied)]
            self.output.aside(
                f"cut short in {step.action.value} {step.ref}, which may be done in part; what is "
                f"told above as done is done\n  {self._again()}    does the rest"
            )
            return
        self.output.aside(
            "all is applied, and goes on without being watched; look on with\n"
            f"  {self.plan.kubectl} get pods,pvc,events\n  {self._again()}"
        )


def _plan_text(spec: "Spec", plan: "Plan") -> str:
    if not plan.changing:
        return f"nothing to change: {len(plan.steps)} objects are looked at" + _kept(plan)
    head = f"sturdis apply does this in namespace {spec.namespace} ({plan.kubectl}):"
    return "\n".join((head, *map(_step_text, plan.steps)))


def _kept(plan: "Plan") -> str:
    told = [_step_text(step) for step in plan.steps if step.note]
    return "".join(f"\n{one}" for one in told)


def _step_text(step: "Step") -> str:
    action = step.action.value
    shown = (
        paint(f"{action:<11}", COLOURS[action], sys.stderr)
        if action in COLOURS
        else (f"{action:<11}")
    )
    lines = [f"  {shown}{step.ref}" + (f": {step.note}" if step.note else "")]
    lines += [" " * 15 + line for change in step.changes for line in str(change).splitlines()]
    return "\n".join(lines)


def _text(spec: "Spec", applied: "Applied", typed: Typed, *, dry_run: bool) -> str:
    if dry_run:
        return ""
    changed = len(applied.plan.changing)
    what = f"{changed} objects changed" if changed else "nothing changed"
    if not applied.serves:
        return f"applied  {what}; it is not waited for\nnext     {applied.plan.kubectl} get pods"
    return (
        f"serves   {spec.name}.{spec.namespace}.svc:{REDIS_PORT}, after {applied.seconds:.1f} s; "
        f"{what}\nnext     {typed.at(applied.plan.kubectl).command('verify')}"
    )


def _values(spec: "Spec", applied: "Applied") -> dict[str, object]:
    return {
        "name": spec.name,
        "namespace": spec.namespace,
        "serves": applied.serves,
        "seconds": round(applied.seconds, 3),
        "changed": len(applied.plan.changing) if applied.done else 0,
        "steps": [
            {
                "action": step.action.value,
                "object": str(step.ref),
                "note": step.note,
                "changes": [
                    {
                        "path": change.path,
                        "before": change.before,
                        "after": change.after,
                        "lines": list(change.lines),
                    }
                    for change in step.changes
                ],
            }
            for step in applied.plan.steps
        ],
        "warnings": list(applied.plan.warnings),
    }
