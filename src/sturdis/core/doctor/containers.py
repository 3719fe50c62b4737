"""What keeps the pod from serving, and what ended its containers though they serve again."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sturdis.core import cluster_troubles
from sturdis.core.apply import progress
from sturdis.core.cluster import Manifest
from sturdis.core.cluster_place import CONTAINER
from sturdis.core.cluster_troubles import Trouble, container_statuses
from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.facts import Sight
from sturdis.core.facts import ServerFacts
from sturdis.core.render import workload

RECENT = timedelta(hours=1)
"""How long ago an end still counts: as long as Kubernetes keeps events by default."""

MEMORY = "The kernel ends a container at its memory limit, in the middle of whatever it does."

KINDS = {
    "pod": ("pod.not_made", "Whoever guards the namespace refuses the pod: no server can start."),
    "claim": ("claim.pending", "Without its volume the pod does not start."),
    "node": ("pod.unscheduled", "No node takes the pod: no server can start."),
    "volumes": ("pod.volumes", "Without its volume or network the pod does not start."),
    "image": ("pod.image", "Without the image the container cannot be made."),
    "container": ("pod.container", "The kubelet cannot make the container from what it is given."),
    "memory": ("memory.killed", MEMORY),
    "crash": ("pod.crash", "It ends by itself, and is started again at ever longer waits."),
    "probe": ("pod.unready", "Until its probe gets the answer no client is sent to the pod."),
}
"""The first word of `Trouble.about` to the id of a diagnosis, and what that means."""


def not_serving(sight: Sight) -> Iterator[Diagnosis]:
    """Say what keeps the deployment from serving."""
    scene, owner = sight.scene, sight.scene.stateful_set
    if owner is None and sight.is_set_seen:
        yield _no_set(sight)
    elif owner is not None and scene.pod is None and owner["spec"].get("replicas") == 0:
        yield _scaled_down(sight, owner["metadata"]["name"])
    elif troubles := cluster_troubles.troubles(scene, sight.kubectl):
        yield from map(_of_trouble, troubles)
    elif owner is not None and not progress.serves(scene):
        yield Diagnosis(
            "pod.waiting", Severity.CRITICAL, f"it does not serve: {progress.stage(scene)}",
            _conditions(scene.pod), "It is starting, or ending, or a newer revision is on its way.",
            f"{sight.doctor}    again in a moment, or {sight.kubectl} get pods,events -w",
        )  # fmt: skip


def _of_trouble(trouble: Trouble) -> Diagnosis:
    kind, _, container = trouble.about.partition(" ")
    name, cause = KINDS[kind]
    severity = Severity.CRITICAL if container in {"", CONTAINER} else Severity.MINOR
    return Diagnosis(name, severity, trouble.what, trouble.why, cause, trouble.do)


def _no_set(sight: Sight) -> Diagnosis:
    return Diagnosis(
        "set.missing", Severity.CRITICAL, "its StatefulSet is not there",
        "a pod of it runs on" if sight.scene.pod else "nor is its pod",
        "Nothing starts the pod when it ends.", sight.apply,
    )  # fmt: skip


def _scaled_down(sight: Sight, name: str) -> Diagnosis:
    return Diagnosis(
        "set.scaled_down", Severity.CRITICAL, f"statefulset/{name} has no replicas",
        "spec.replicas 0", "Somebody scaled it down, perhaps to work on its volume.",
        f"{sight.kubectl} scale statefulset {name} --replicas 1",
    )  # fmt: skip


def _conditions(pod: Manifest | None) -> str:
    if pod is None:
        return "there is no pod"
    told = (pod.get("status") or {}).get("conditions") or ()
    shown = (f"{one['type']} {one['status']}" for one in told)
    return f"phase {pod.get('status', {}).get('phase')}; {', '.join(shown)}"


def ended(sight: Sight) -> Iterator[Diagnosis]:
    """Say what ended containers within the last hour, though they may run well again."""
    pod = sight.scene.pod
    for status in container_statuses(pod) if pod else ():
        if status.get("ready"):
            yield from _killed_for_memory(sight, status)
        yield from _killed_by_probe(sight, status)


def _killed_for_memory(sight: Sight, status: Manifest) -> Iterator[Diagnosis]:
    last = (status.get("lastState") or {}).get("terminated") or {}
    if last.get("reason") != "OOMKilled" or not _is_recent(sight, last.get("finishedAt")):
        return
    name = status["name"]
    yield Diagnosis(
        "memory.killed",
        Severity.SERIOUS,
        f"container {name} was killed for want of memory",
        f"OOMKilled at {last['finishedAt']}, {status.get('restartCount')} restarts; "
        + _limits(sight, name),
        MEMORY + " What was not yet on the disk was lost, and it will come again.",
        "raise memory.limit in the spec and leave memory.maxmemory to be derived, then "
        f"{sight.apply}",
    )


def _limits(sight: Sight, container: str) -> str:
    containers = sight.scene.pod["spec"]["containers"] if sight.scene.pod else ()
    limits = [
        ((one.get("resources") or {}).get("limits") or {}).get("memory", "none")
        for one in containers
        if one["name"] == container
    ]
    info = sight.server.info if isinstance(sight.server, ServerFacts) else None
    held = f"; maxmemory {info.get('maxmemory', '?')} B" if isinstance(info, Mapping) else ""
    return f"memory limit {', '.join(limits)}{held if container == CONTAINER else ''}"


def _killed_by_probe(sight: Sight, status: Manifest) -> Iterator[Diagnosis]:
    name = status["name"]
    if kills := _kills(sight, name, "liveness"):
        yield Diagnosis(
            "probe.liveness", Severity.SERIOUS,
            f"container {name} was killed by its liveness probe", _told(kills),
            "For 30 s no probe got a reply: a command that blocked the server, a disk that hangs, "
            "or a machine without a moment to spare. What a kill interrupts is done twice.",
            f"{sight.cli} slowlog get 5    names slow commands; {sight.cli} info persistence    "
            "tells of the disk",
        )  # fmt: skip
    if kills := _kills(sight, name, "startup"):
        owner = sight.scene.stateful_set or {"metadata": {}}
        budget = (owner["metadata"].get("annotations") or {}).get(workload.STARTUP_BUDGET, "?")
        yield Diagnosis(
            "probe.startup", Severity.CRITICAL,
            f"container {name} was killed by its startup probe",
            f"{_told(kills)}; its start budget is {budget}",
            "It was not ready in time and is started over and over: its data take longer to load "
            "than the start budget, which follows maxmemory, allows.",
            f"raise memory.limit, and the budget with it, then {sight.apply}; at once: "
            f"{sight.kubectl} edit statefulset    and raise the startupProbe's failureThreshold",
        )  # fmt: skip


def _kills(sight: Sight, container: str, kind: str) -> Sequence[Manifest]:
    """Give the events by which a kubelet tells that it ended a container for a probe's sake."""
    uid = sight.scene.pod["metadata"].get("uid") if sight.scene.pod else None
    return [
        event
        for event in sight.scene.events
        if event.get("reason") == "Killing"
        and event["involvedObject"].get("uid") == uid
        and f"Container {container} failed {kind} probe" in event.get("message", "")
        and _is_recent(sight, event.get("lastTimestamp") or event.get("eventTime"))
    ]


def _told(kills: Sequence[Manifest]) -> str:
    times = sum(one.get("count") or 1 for one in kills)
    last = max(str(one.get("lastTimestamp") or one.get("eventTime")) for one in kills)
    return f"{times} times within the last hour, last at {last}"


def _is_recent(sight: Sight, moment: str | None) -> bool:
    return bool(moment) and sight.now - datetime.fromisoformat(str(moment)) < RECENT
