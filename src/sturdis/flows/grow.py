"""`grow`: look at a claim, plan, ask, grow it, wait, and make its set anew around the pod."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sturdis.core import spec as specs
from sturdis.core.apply import objections as apply_objections
from sturdis.core.apply.facts import Facts, Right
from sturdis.core.apply.plan import Step
from sturdis.core.apply.progress import Patience, Waiting
from sturdis.core.cluster import Manifest
from sturdis.core.cluster_troubles import Scene
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.grow import objections, plan, progress
from sturdis.core.grow.plan import Growth
from sturdis.core.spec import Spec
from sturdis.flows import execute
from sturdis.flows.execute import Writer

TAKEN_OVER_SECONDS = 60.0
"""Longest wait until the new set keeps the pod: its controller does that at once, or is down."""


class Place(Writer, Protocol):
    """A deployment in a cluster."""

    def version(self) -> tuple[int, int]:
        """Give the release of the API server."""

    def look(self) -> Facts:
        """Look at all that is there of the deployment."""

    def template_of(self, pod: Manifest) -> Manifest | Unseen | None:
        """Give the template that a pod was made from."""

    def missing(self, rights: Sequence[Right]) -> list[Right]:
        """Give those of the rights that the user has not."""

    def scenes(self, seconds: float) -> Iterator[Scene]:
        """Give what is there whenever it changes, and each second, for so long."""


@dataclass(frozen=True)
class Growing:
    """What is grown, and how long that may take."""

    spec: Spec
    rendered: Manifest
    """Its StatefulSet."""
    seconds: float
    """Longest wait until the volume has grown."""


@dataclass(frozen=True)
class Telling:
    """Whom to ask, and whom to tell of what is done."""

    agree: Callable[[Growth], bool]
    """Called with the plan before anything is changed; False ends it there, without an error."""
    done: Callable[[Step], None]
    waiting: Callable[[Waiting], None]
    now: Callable[[], float]
    """A clock, in seconds."""


@dataclass(frozen=True)
class Grown:
    """What came of it."""

    growth: Growth
    done: bool
    """Whether the plan was carried out."""
    seconds: float
    """From the first change until the set keeps its pod again."""
    ran_on: bool | None
    """Whether the pod is the one that it was; None: there was none, or nothing was done."""


def grow(growing: Growing, place: Place, telling: Telling) -> Grown:
    """Grow the volume of a deployment to the size of its spec; its pod runs on.

    Raises:
        ClusterError: Something stands against it, and nothing was changed; or a step was refused,
            or the volume does not grow in time: the next run goes on from there.
        UsageError: `usage.not_agreed`, by who was asked.
    """
    apply_objections.refuse_old(place.version())
    facts = place.look()
    growth = _planned(growing, facts, place)
    if not telling.agree(growth):
        return Grown(growth, done=False, seconds=0.0, ran_on=None)
    start = telling.now()
    execute.execute(growth.before_the_wait(), place, telling.done)
    if growth.waits:
        _wait(growing, place, telling, growth)
    execute.execute(growth.after_the_wait(), place, telling.done)
    pod = _taken_over(place, growth) if growth.stateful_set is not None else facts.pod
    return Grown(growth, done=True, seconds=telling.now() - start, ran_on=_ran_on(facts.pod, pod))


def _planned(growing: Growing, facts: Facts, place: Place) -> Growth:
    spec = growing.spec
    objections.refuse(spec, facts)
    former = None
    if facts.pod is not None and plan.is_orphaned(spec, facts):
        former = place.template_of(facts.pod)
    growth = plan.decide(spec, growing.rendered, facts, former)
    needed = place.missing(plan.rights(spec, growth))
    apply_objections.refuse_unallowed(needed, facts.kubectl)
    return growth


def _wait(growing: Growing, place: Place, telling: Telling, growth: Growth) -> None:
    start, last, patience = telling.now(), Scene(), Patience()
    wanted = specs.storage_size(growing.spec)
    for scene in place.scenes(growing.seconds):
        if progress.grown(scene, wanted):
            return
        last, seconds = scene, telling.now() - start
        lasting = patience.lasting(progress.troubles(scene, growth.kubectl), seconds)
        telling.waiting(Waiting(seconds, progress.stage(scene, wanted), lasting))
    told = progress.troubles(last, growth.kubectl)
    raise ClusterError(
        "cluster.not_grown",
        f"the claim asks for {growth.size}, and its volume has not grown after "
        f"{growing.seconds:g} s",
        why="\n".join(f"{one.what}: {one.why}" for one in told) or progress.stage(last, wanted),
        do=(told[0].do if told else f"{growth.kubectl} get pvc,events")
        + "; sturdis grow once more goes on from here",
    )


def _taken_over(place: Place, growth: Growth) -> Manifest | None:
    """Wait until the new set keeps the pod, and give that pod.

    Raises:
        ClusterError: `cluster.not_serving`: it does not in time.
    """
    for scene in place.scenes(TAKEN_OVER_SECONDS):
        if progress.is_taken_over(scene):
            return scene.pod
    raise ClusterError(
        "cluster.not_serving",
        f"the set is made anew and does not keep its pod after {TAKEN_OVER_SECONDS:.0f} s",
        why="the controller of StatefulSets has not looked at it",
        do=f"{growth.kubectl} get statefulsets,pods,events",
    )


def _ran_on(before: Manifest | None, after: Manifest | None) -> bool | None:
    if before is None:
        return None
    return after is not None and before["metadata"]["uid"] == after["metadata"]["uid"]
