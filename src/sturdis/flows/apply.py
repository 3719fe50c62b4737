"""`apply`: look at a cluster, plan, ask, change it step by step, and wait until it serves."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sturdis.core.apply import facts as rights
from sturdis.core.apply import objections, persistence, plan, progress, server, takeover
from sturdis.core.apply.facts import Facts, Right
from sturdis.core.apply.plan import Plan, Step
from sturdis.core.apply.progress import Waiting
from sturdis.core.cluster import Manifest
from sturdis.core.cluster_troubles import Scene, troubles
from sturdis.core.errors import ClusterError
from sturdis.core.spec import Spec
from sturdis.flows import execute
from sturdis.flows.execute import Writer


class Place(Writer, Protocol):
    """A deployment in a cluster."""

    def version(self) -> tuple[int, int]:
        """Give the release of the API server."""

    def look(self) -> Facts:
        """Look at all that is there of the deployment."""

    def missing(self, rights: Sequence[Right]) -> list[Right]:
        """Give those of the rights that the user has not."""

    def tried(self, step: Step, *, is_housed: bool) -> Manifest:
        """Give what the object of a step would be; change nothing."""

    def warnings(self) -> tuple[str, ...]:
        """Give what admission has warned of since this was last asked."""

    def scenes(self, seconds: float) -> Iterator[Scene]:
        """Give what is there whenever it changes, and each second, for so long."""


@dataclass(frozen=True)
class Applying:
    """What is applied, and how."""

    spec: Spec
    objects: Sequence[Manifest]
    """In the order in which they are applied."""
    adopt: bool
    """Whether what others made is taken over."""
    seconds: float
    """Longest wait until it serves; 0: do not wait."""


@dataclass(frozen=True)
class Telling:
    """Whom to ask, and whom to tell of what is done."""

    agree: Callable[[Plan], bool]
    """Called with the plan before anything is changed; False ends it there, without an error."""
    done: Callable[[Step], None]
    waiting: Callable[[Waiting], None]
    now: Callable[[], float]
    """A clock, in seconds."""


@dataclass(frozen=True)
class Applied:
    """What came of it."""

    plan: Plan
    done: bool
    """Whether the plan was carried out."""
    serves: bool
    """False: it was not waited for, or not done at all."""
    seconds: float
    """From the first change until it served."""


def apply(applying: Applying, place: Place, telling: Telling) -> Applied:
    """Bring a cluster to a spec.

    Raises:
        ClusterError: Something stands against it, and nothing was changed; or a step was refused;
            or `cluster.not_serving`: it does not serve in time.
        DataError: `data.newer_server`: the server could not read what the running one wrote.
        UsageError: `usage.not_agreed`, by who was asked.
    """
    planned = prepare(applying, place)
    if not telling.agree(planned):
        return Applied(planned, done=False, serves=False, seconds=0.0)
    start = telling.now()
    execute.execute(planned, place, telling.done)
    if not applying.seconds:
        return Applied(planned, done=True, serves=False, seconds=telling.now() - start)
    _wait(applying, place, telling, planned.kubectl)
    return Applied(planned, done=True, serves=True, seconds=telling.now() - start)


def prepare(applying: Applying, place: Place) -> Plan:
    """Give the plan; what stands against it is found here, before anything is changed.

    Raises:
        ClusterError: It is refused.
        DataError: `data.newer_server`.
    """
    spec, adopt = applying.spec, applying.adopt
    objections.refuse_old(place.version())
    facts = place.look()
    objections.refuse_unallowed(place.missing(rights.needed(spec, facts)), facts.kubectl)
    objections.refuse(spec, facts, adopt=adopt)
    intended = plan.intend(spec, applying.objects, facts, adopt=adopt)
    steps = plan.complete(spec, facts, [_tried(step, facts, place) for step in intended])
    objections.refuse_unallowed(place.missing(plan.rights(steps)), facts.kubectl)
    unhelped = place.missing(rights.helpful(spec))
    notes = [f"not allowed, so less can be found out: {one}" for one in unhelped]
    found = [
        warning for one in (takeover, persistence, server) for warning in one.warnings(spec, facts)
    ]
    return Plan(facts.kubectl, steps, (*found, *place.warnings(), *notes))


def _tried(step: Step, facts: Facts, place: Place) -> Step:
    if step.action not in plan.TRIED or step.manifest is None:
        return step
    live, is_housed = facts.find(step.ref), facts.namespace is not None
    try:
        result = place.tried(step, is_housed=is_housed)
    except ClusterError as error:
        found = plan.untried(step, live, error, is_housed=is_housed)
        if found is None:
            raise
        return found
    return plan.tried(step, live, result)


def _wait(applying: Applying, place: Place, telling: Telling, kubectl: str) -> None:
    start, last, patience = telling.now(), Scene(), progress.Patience()
    for scene in place.scenes(applying.seconds):
        if progress.serves(scene):
            return
        last = scene
        seconds = telling.now() - start
        lasting = patience.lasting(troubles(scene, kubectl), seconds)
        telling.waiting(Waiting(seconds, progress.stage(scene), lasting))
    told = troubles(last, kubectl)
    raise ClusterError(
        "cluster.not_serving",
        f"statefulset/{applying.spec.name} is applied and does not serve after "
        f"{applying.seconds:g} s",
        why="\n".join(f"{one.what}: {one.why}" for one in told) or progress.stage(last),
        do=told[0].do if told else f"{kubectl} get pods,pvc,events",
    )
