"""How far a deployment has come on its way to serving."""

from collections.abc import Sequence
from dataclasses import dataclass

from sturdis.core.apply import plan
from sturdis.core.cluster import Manifest, is_ready
from sturdis.core.cluster_troubles import Scene, Trouble, container_statuses, latest
from sturdis.core.units import shortened

SPARE_SECONDS = 120.0
"""Beyond the startup budget: the former pod's grace of 30 s, a volume attached, images pulled."""


PATIENCE_SECONDS = 3.0
"""How long a trouble has lasted before it is told of: many pass, as a claim that waits."""


@dataclass(frozen=True)
class Waiting:
    """The deployment does not serve yet."""

    seconds: float
    """Since it was applied."""
    stage: str
    """What it waits for, in a few words."""
    troubles: tuple[Trouble, ...]
    """What has kept it from serving for a while."""


class Patience:
    """What has been told of the troubles so far: since when each lasts."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def lasting(self, troubles: Sequence[Trouble], seconds: float) -> tuple[Trouble, ...]:
        """Give those that have lasted; `seconds` is the moment, by any clock."""
        abouts = {one.about for one in troubles}
        self._since = {key: self._since.get(key, seconds) for key in abouts}
        return tuple(
            one for one in troubles if seconds - self._since[one.about] >= PATIENCE_SECONDS
        )


def serves(scene: Scene) -> bool:
    """Tell whether a pod of what was applied last takes connections."""
    stateful_set, pod = scene.stateful_set, scene.pod
    if stateful_set is None or pod is None or pod["metadata"].get("deletionTimestamp"):
        return False
    return is_observed(stateful_set) and plan.is_current(stateful_set, pod) and is_ready(pod)


def is_observed(stateful_set: Manifest) -> bool:
    """Tell whether the set's controller has looked at it as it is now."""
    seen = (stateful_set.get("status") or {}).get("observedGeneration", 0)
    return bool(seen >= stateful_set["metadata"].get("generation", 1))


def stage(scene: Scene) -> str:
    """Say in a few words what is waited for."""
    stateful_set, pod = scene.stateful_set, scene.pod
    if stateful_set is None or not is_observed(stateful_set):
        return "the StatefulSet is not looked at yet"
    if pod is None:
        return "the pod is not made yet"
    if pod["metadata"].get("deletionTimestamp") or not plan.is_current(stateful_set, pod):
        return "the former pod ends"
    return _of_the_pod(scene, pod)


def _of_the_pod(scene: Scene, pod: Manifest) -> str:
    claim, node = scene.claim, pod["spec"].get("nodeName")
    if claim is not None and (claim.get("status") or {}).get("phase") != "Bound":
        return f"claim {claim['metadata']['name']} waits for a volume"
    if not node:
        return "the pod waits for a node"
    waiting = [_of_a_container(scene, pod, one) for one in container_statuses(pod)]
    return "; ".join(filter(None, waiting)) or f"the pod starts on {node}"


def _of_a_container(scene: Scene, pod: Manifest, status: Manifest) -> str:
    """Say what one container waits for; empty: it is ready."""
    name, state = status["name"], status.get("state") or {}
    if status.get("ready"):
        return ""
    if "waiting" in state:
        event = latest(scene, pod, "Pulling", "Pulled", container=name)
        if event is not None and event["reason"] == "Pulling":
            return f"container {name}: {event['message'].lower()}"
        return f"container {name}: {state['waiting'].get('reason', 'waiting')}"
    if "terminated" in state:
        return f"container {name} has ended"
    event = latest(scene, pod, "Unhealthy", container=name)
    said = f": {shortened(' '.join(event['message'].split()), 100)}" if event is not None else ""
    return (
        f"container {name} starts{said}"
        if not status.get("started")
        else f"container {name} is not ready"
    )
