"""Why a deployment in a cluster does not serve, in the words of who refused, and what mends it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sturdis.core import log_words
from sturdis.core.cluster import Manifest

NOT_PULLED = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
NOT_MADE = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
"""Reasons by which a kubelet says that a container waits (Kubernetes, kubelet, images/types.go and
container/sync_result.go)."""

KILLED = 137
"""128 + SIGKILL: by the kernel, or by a kubelet whose patience is over."""

LINES_SHOWN = 6
"""Most lines of a log that are shown."""


@dataclass(frozen=True)
class Scene:
    """A deployment as it is at one moment; None: an object is not there or may not be seen."""

    stateful_set: Manifest | None = None
    pod: Manifest | None = None
    claim: Manifest | None = None
    events: Sequence[Manifest] = ()
    """Of the namespace, in any order."""
    logs: Mapping[str, str] = field(default_factory=dict)
    """Container to the last lines of its run that ended last."""


@dataclass(frozen=True)
class Trouble:
    """Something that keeps it from serving."""

    about: str
    """The same as long as it is the same trouble, whatever is said of it: claim, image redis."""
    what: str
    why: str
    """The evidence, in the words of who saw it."""
    do: str


def troubles(scene: Scene, kubectl: str) -> tuple[Trouble, ...]:
    """Give what keeps the deployment from serving, what comes first first.

    Args:
        scene: What is there.
        kubectl: What to type before a command of kubectl: `kubectl -n redis`.
    """
    return tuple(dict.fromkeys(_troubles(scene, kubectl)))


def _troubles(scene: Scene, kubectl: str) -> Iterator[Trouble]:
    if scene.pod is None:
        yield from _not_created(scene, kubectl)
    elif not _is_kept(scene, scene.pod):
        yield from _not_taken(scene, scene.pod, kubectl)
    yield from _of_the_claim(scene, kubectl)
    if scene.pod is not None:
        yield from _of_the_schedule(scene, scene.pod, kubectl)
        yield from _of_the_volumes(scene, scene.pod, kubectl)
        for status in container_statuses(scene.pod):
            yield from _of_a_container(scene, scene.pod, status, kubectl)


def container_statuses(pod: Manifest) -> Sequence[Manifest]:
    """Give what a kubelet tells of each container."""
    found: Sequence[Manifest] = (pod.get("status") or {}).get("containerStatuses") or ()
    return found


def latest(
    scene: Scene, about: Manifest | None, *reasons: str, container: str = ""
) -> Manifest | None:
    """Give the newest event of an object, with one of these reasons; None: there is none.

    Args:
        scene: What is there.
        about: The object.
        reasons: Of the event.
        container: Of the pod, which the event is about.
    """
    uid = None if about is None else about["metadata"].get("uid")
    part = f"spec.containers{{{container}}}" if container else None
    found = [
        event
        for event in scene.events
        if event.get("reason") in reasons
        and (on := event.get("involvedObject") or {}).get("uid") == uid
        and part in {None, on.get("fieldPath")}
    ]
    return max(found, key=_when, default=None)


def _when(event: Manifest) -> str:
    moment = event.get("lastTimestamp") or event.get("eventTime")
    return str(moment or event["metadata"].get("creationTimestamp") or "")


def _not_created(scene: Scene, kubectl: str) -> Iterator[Trouble]:
    event = latest(scene, scene.stateful_set, "FailedCreate")
    if event is not None:
        yield Trouble(
            "pod", "the StatefulSet cannot make its pod", event["message"],
            f"mend what it names: a quota, a policy or a webhook; {kubectl} get events",
        )  # fmt: skip


def _is_kept(scene: Scene, pod: Manifest) -> bool:
    """Tell whether the set has the pod for its own, as far as both can be seen."""
    uid = None if scene.stateful_set is None else scene.stateful_set["metadata"].get("uid")
    owners = pod["metadata"].get("ownerReferences") or ()
    return uid is None or any(one.get("uid") == uid for one in owners)


def _not_taken(scene: Scene, pod: Manifest, kubectl: str) -> Iterator[Trouble]:
    event = latest(scene, scene.stateful_set, "FailedUpdate", "FailedCreate")
    if event is not None:
        name = pod["metadata"]["name"]
        yield Trouble(
            "pod", f"the StatefulSet cannot take over pod {name}", event["message"],
            f"save what the pod holds, then {kubectl} delete pod {name}: the set makes its own",
        )  # fmt: skip


def _of_the_claim(scene: Scene, kubectl: str) -> Iterator[Trouble]:
    claim = scene.claim
    if claim is None or (claim.get("status") or {}).get("phase") in {None, "Bound"}:
        return
    name, phase = claim["metadata"]["name"], claim["status"]["phase"]
    storage = claim["spec"].get("storageClassName") or "none"
    event = latest(
        scene, claim, "ProvisioningFailed", "FailedBinding", "ExternalProvisioning",
        "WaitForFirstConsumer",
    )  # fmt: skip
    if phase == "Lost":
        yield Trouble(
            "claim", f"claim {name} has lost its volume", "the volume bound to it is gone",
            f"{kubectl} describe pvc {name}; do not delete the claim before the data is found",
        )  # fmt: skip
    elif event is None:
        yield Trouble(
            "claim",
            f"claim {name} waits for a volume",
            f"of class {storage}; its provisioner has not said anything yet",
            f"{kubectl} describe pvc {name}; kubectl get storageclass {storage}",
        )
    elif event["reason"] == "ExternalProvisioning":
        yield Trouble(
            "claim",
            f"claim {name} waits for a volume",
            event["message"],
            f"look whether the provisioner of class {storage} runs, and what its log says",
        )
    elif event["reason"] != "WaitForFirstConsumer":  # that is as it should be: the pod comes next
        yield Trouble(
            "claim",
            f"claim {name} gets no volume",
            event["message"],
            f"kubectl get storageclass    names those there are; the spec asks for {storage}",
        )


def _of_the_schedule(scene: Scene, pod: Manifest, kubectl: str) -> Iterator[Trouble]:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    for one in conditions:
        if one["type"] != "PodScheduled" or one["status"] == "True":
            continue
        words = one.get("message", "")
        if "unbound" in words and next(_of_the_claim(scene, kubectl), None):
            return  # the claim's own words say more
        yield Trouble(
            "node",
            f"no node takes pod {pod['metadata']['name']}",
            words or one.get("reason", "the scheduler has not said why"),
            _room(words, kubectl),
        )


def _room(words: str, kubectl: str) -> str:
    if "Insufficient memory" in words:
        return "lower memory.limit in the spec, or free memory on a node: kubectl top nodes"
    if "volume node affinity" in words:
        return "the volume is on a node that does not take the pod: kubectl get nodes"
    if "untolerated taint" in words:
        return "kubectl describe nodes    shows the taints; one has to let the pod in"
    return f"{kubectl} get events; kubectl describe nodes"


def _of_the_volumes(scene: Scene, pod: Manifest, kubectl: str) -> Iterator[Trouble]:
    is_waiting = any(
        _waiting(status) in {"ContainerCreating", "PodInitializing"}
        for status in container_statuses(pod)
    )
    event = latest(scene, pod, "FailedAttachVolume", "FailedMount", "FailedCreatePodSandBox")
    if not is_waiting or event is None:
        return
    words = event["message"]
    do = f"{kubectl} describe pod {pod['metadata']['name']}"
    if "Multi-Attach" in words:
        do = (
            "the volume is still attached to the node of the former pod: kubectl get "
            "volumeattachments; a node that is off needs the taint out-of-service"
        )
    yield Trouble("volumes", "the pod's volumes or network are not set up", words, do)


def _of_a_container(
    scene: Scene, pod: Manifest, status: Manifest, kubectl: str
) -> Iterator[Trouble]:
    name, reason = status["name"], _waiting(status)
    words = ((status.get("state") or {}).get("waiting") or {}).get("message", reason)
    if reason in NOT_PULLED:
        event = latest(scene, pod, "Failed", container=name)
        said = event["message"] if event is not None and "pull" in event["message"] else words
        yield Trouble(
            f"image {name}",
            f"the image {status['image']} of container {name} is not pulled",
            said,
            "check its name and tag, and whether the nodes reach and may read the registry",
        )
    elif reason in NOT_MADE:
        yield Trouble(
            f"container {name}",
            f"container {name} cannot be made",
            words,
            _mending_config(words, kubectl),
        )
    elif ended := _ended(status):
        yield _crash(scene, status, ended, kubectl)
    elif status.get("started") and not status.get("ready"):
        yield from _unhealthy(scene, pod, name, kubectl)


def _mending_config(words: str, kubectl: str) -> str:
    if "secret" in words.lower():
        return (
            f"make the Secret that access.passwordSecret names, with its keys: {kubectl} get secret"
        )
    if "run as" in words or "runAs" in words or "non-root" in words:
        return "the image must run as user 999: name an official one as engine.image"
    return f"{kubectl} describe pod"


def _waiting(status: Manifest) -> str:
    return str(((status.get("state") or {}).get("waiting") or {}).get("reason", ""))


def _ended(status: Manifest) -> Mapping[str, Any]:
    """Give how the container's last run ended, where it has not started well since."""
    state, last = status.get("state") or {}, status.get("lastState") or {}
    if status.get("ready"):
        return {}
    found: Mapping[str, Any] = state.get("terminated") or last.get("terminated") or {}
    return found


def _crash(scene: Scene, status: Manifest, ended: Mapping[str, Any], kubectl: str) -> Trouble:
    name, code = status["name"], ended.get("exitCode", "?")
    times = f", {status.get('restartCount', 0)} restarts so far"
    log = scene.logs.get(name, "")
    if ended.get("reason") == "OOMKilled":
        return Trouble(
            f"memory {name}",
            f"container {name} was killed for want of memory{times}",
            "it reached its memory limit (OOMKilled)",
            "raise memory.limit in the spec, or lower memory.maxmemory",
        )
    meaning = log_words.meaning(log)
    lines = "\n".join(log.strip().splitlines()[-LINES_SHOWN:])
    what = f"container {name} ended with status {code}{times}"
    if meaning is not None:
        why = f"{meaning.why}\n{lines}" if lines and not meaning.says_all else meaning.why
        return Trouble(f"crash {name}", what, why, meaning.do)
    if code == KILLED:
        lines = lines or "it was killed: its probe got no answer, or a node ran out of memory"
    return Trouble(
        f"crash {name}", what, lines or ended.get("reason", "it left no words"),
        f"{kubectl} logs {_pod_name(scene)} -c {name} --previous",
    )  # fmt: skip


def _pod_name(scene: Scene) -> str:
    return str(scene.pod["metadata"]["name"]) if scene.pod else ""


def _unhealthy(scene: Scene, pod: Manifest, name: str, kubectl: str) -> Iterator[Trouble]:
    event = latest(scene, pod, "Unhealthy", container=name)
    if event is not None:
        yield Trouble(
            f"probe {name}",
            f"container {name} runs and is not ready",
            event["message"],
            f"{kubectl} logs {pod['metadata']['name']} -c {name}",
        )
