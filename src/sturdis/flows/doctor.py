"""`doctor`: look at a deployment and say what is wrong; move its pod off a node declared off."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sturdis.core.apply import objections, progress
from sturdis.core.apply.facts import Right
from sturdis.core.apply.progress import Patience, Waiting
from sturdis.core.cluster import NODE
from sturdis.core.cluster_troubles import Scene, troubles
from sturdis.core.doctor import declaring, judging
from sturdis.core.doctor.declaring import Declaring, Named
from sturdis.core.doctor.diagnosis import Diagnoses
from sturdis.core.doctor.facts import Sight
from sturdis.core.doctor.running import ServerSight
from sturdis.core.errors import ClusterError
from sturdis.core.spec import Spec


class Patient(Protocol):
    """A deployment that may be ill, and the nodes around it."""

    def look(self) -> Sight:
        """Look at all of it once."""

    def named(self, name: str) -> Named:
        """Find a node by its name."""

    def missing(self, rights: Sequence[Right]) -> list[Right]:
        """Give those of the rights that the user has not."""

    def declare_off(self, node: str) -> None:
        """Set the taint out-of-service on a node."""

    def take_off(self, node: str) -> None:
        """Take the taint out-of-service off a node."""

    def remove_pod(self, uid: str) -> None:
        """Delete the pod of that uid without a word of its node."""

    def scenes(self, seconds: float) -> Iterator[Scene]:
        """Give what is there whenever it changes, and each second, for so long."""


class Seen(Protocol):
    """A server at an address that may be ill."""

    def look(self) -> ServerSight:
        """Look at all of it, without writing."""


@dataclass(frozen=True)
class Telling:
    """Whom to ask, and whom to tell of what is done."""

    agree: Callable[[Declaring], None]
    """Called with the plan before anything is changed; what it raises ends it there."""
    done: Callable[[str], None]
    waiting: Callable[[Waiting], None]
    now: Callable[[], float]
    """A clock, in seconds."""


@dataclass(frozen=True)
class Moved:
    """What came of a node that was declared off."""

    declared: Declaring
    node: str
    """Where the pod serves now."""
    seconds: float
    """From the word until it serves."""


def examine(spec: Spec, patient: Patient) -> Diagnoses:
    """Say what is wrong with a deployment; nothing is changed.

    Raises:
        ClusterError: The cluster cannot be asked.
    """
    return judging.judge(spec, patient.look())


def examine_server(spec: Spec, server: Seen) -> Diagnoses:
    """Say what is wrong with a server at an address; nothing is changed.

    Raises:
        TargetError: Nothing that speaks Redis answers there.
        AccessError: It does not let us in.
    """
    return judging.judge_server(spec, server.look())


def declare_off(
    spec: Spec, name: str, patient: Patient, telling: Telling, *, seconds: float
) -> Moved:
    """Take a person's word that a node is off, and follow the pod until it serves elsewhere.

    Args:
        spec: The deployment.
        name: The node.
        patient: The deployment, and the nodes.
        telling: Whom to ask first, and to tell.
        seconds: Longest wait until it serves.

    Raises:
        ClusterError: The node is not off as far as can be seen, or a right is missing, and nothing
            was changed; or a step was refused; or `cluster.not_serving`.
        UsageError: `usage.not_agreed`, by who was asked.
    """
    named, sight = patient.named(name), patient.look()
    plan = declaring.off(named, sight, seconds)
    missing = patient.missing(declaring.rights(spec.namespace))
    objections.refuse_unallowed(missing, sight.kubectl)
    telling.agree(plan)
    start = telling.now()
    if not plan.is_declared:
        patient.declare_off(name)
        telling.done(f"set the taint {declaring.SPELLED} on node {name}")
    if plan.pod_uid is not None:
        # as Kubernetes' own collector of pods does, which comes by every 20 s
        patient.remove_pod(plan.pod_uid)
        telling.done(f"deleted pod {plan.pod_name}")
    node = _follow(plan, patient, telling, sight.kubectl)
    return Moved(plan, node, telling.now() - start)


def _follow(plan: Declaring, patient: Patient, telling: Telling, kubectl: str) -> str:
    """Follow the pod until it serves on another node, and give that node."""
    start, last, patience = telling.now(), Scene(), Patience()
    for scene in patient.scenes(plan.seconds):
        node = "" if scene.pod is None else scene.pod["spec"].get("nodeName", "")
        if node != plan.node and progress.serves(scene):
            return str(node)
        last, seconds = scene, telling.now() - start
        lasting = patience.lasting(troubles(scene, kubectl), seconds)
        telling.waiting(Waiting(seconds, progress.stage(scene), lasting))
    told = troubles(last, kubectl)
    raise ClusterError(
        "cluster.not_serving",
        f"node {plan.node} is declared off, and {plan.pod_name} does not serve elsewhere after "
        f"{plan.seconds:.0f} s",
        why="\n".join(f"{one.what}: {one.why}" for one in told) or progress.stage(last),
        do=told[0].do if told else f"{kubectl} get pods,pvc,events",
    )


def take_off(name: str, patient: Patient) -> bool:
    """Let a node that is back take pods again; False: it had no taint.

    Raises:
        ClusterError: `cluster.node`: it is not there or not back; or a right is missing.
    """
    if not declaring.returned(patient.named(name)):
        return False
    objections.refuse_unallowed(patient.missing([Right("patch", NODE, "")]), "kubectl")
    patient.take_off(name)
    return True
