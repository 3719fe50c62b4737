"""The one writer of plans: each step in turn, so that a plan cut short is completed by the next."""

from collections.abc import Callable
from typing import Protocol

from sturdis.core.apply.plan import MERGED, Action, Plan, Step
from sturdis.core.cluster import STATEFUL_SET, Manifest, Ref


class Writer(Protocol):
    """What can be done to the objects of a cluster; each thing done twice is as done once."""

    def apply(self, manifest: Manifest, *, force: bool) -> None:
        """Make an object what it is to be."""

    def merge(self, ref: Ref, changes: Manifest) -> None:
        """Merge changes into an object."""

    def delete(self, ref: Ref, uid: str, *, orphan: bool) -> None:
        """Delete the object of that uid, and wait until it is gone."""


def execute(plan: Plan, writer: Writer, tell: Callable[[Step], None]) -> None:
    """Carry out the steps of a plan that change something.

    Args:
        plan: What was agreed to.
        writer: Who changes the objects.
        tell: Called with each step when it is done.

    Raises:
        ClusterError: A step was refused. The next plan goes on from what was done.
    """
    for step in plan.changing:
        if step.uid is not None and step.action in {Action.RECREATE, Action.REPLACE}:
            writer.delete(step.ref, step.uid, orphan=step.ref.kind == STATEFUL_SET)
        if step.manifest is not None and step.action in MERGED:
            writer.merge(step.ref, step.manifest)
        elif step.manifest is not None:
            writer.apply(step.manifest, force=step.force)
        tell(step)
