"""A node that does not report, and one that was declared off: what they mean for the pod."""

from collections.abc import Iterator
from datetime import datetime

from sturdis.core.cluster import Manifest, is_ready, readiness
from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.facts import Sight
from sturdis.core.facts import Unseen

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
"""Taint that tells Kubernetes that a node is off: pods are moved, volumes detached (Kubernetes,
non-graceful node shutdown)."""

TWO_WRITERS = (
    "If it is off, a person has to say so. If it is merely cut off its server goes on writing, and "
    "a second one on the same volume loses what one of them acknowledges: docs/adr/0044."
)
"""Why nobody guesses."""

LOOK_AT_IT = (
    "see at the machine itself whether it is off: its power, its management board (IPMI), the "
    "provider's console"
)


def is_silent(node: Manifest) -> bool:
    """Tell whether a node does not report any more; one that reports being unwell does."""
    return bool(readiness(node).get("status", "Unknown") == "Unknown")


def is_declared(node: Manifest) -> bool:
    """Tell whether a node carries the taint out-of-service."""
    return any(one["key"] == OUT_OF_SERVICE for one in taints(node))


def taints(node: Manifest) -> list[Manifest]:
    """Give the taints of a node."""
    return list(node["spec"].get("taints") or ())


def diagnose(sight: Sight) -> Iterator[Diagnosis]:
    """Say what is wrong with nodes, the pod's first."""
    node = sight.node
    if isinstance(node, dict) and not is_ready(node):
        yield _silent(sight, node) if is_silent(node) else _unwell(node)
    for one in sight.declared:
        if is_ready(one):
            yield _returned(sight, one["metadata"]["name"])


def _silent(sight: Sight, node: Manifest) -> Diagnosis:
    name, pod = node["metadata"]["name"], _pod_name(sight)
    if sight.answers is True:
        return Diagnosis(
            "node.kubelet",
            Severity.SERIOUS,
            f"node {name} does not report, and pod {pod} on it answers",
            f"{since(sight, node)}; the pod's exporter answers through the API server",
            "The machine is on, and only its kubelet is gone or cannot reach the API server: the "
            "pod is not started again when it ends, and clients may be sent nowhere.",
            f"start the kubelet on {name} again; do not declare the node off",
        )
    what = f"node {name} does not report, and pod {pod} is stuck on it"
    seen = "; ".join((since(sight, node), stuck(sight), volume(sight)))
    if is_declared(node):
        return Diagnosis(
            "node.silent", Severity.CRITICAL, what, f"{seen}; it is declared off",
            "It is declared off, and the pod has not left it yet.",
            f"{sight.doctor} --node-is-off {name}    follows the pod until it serves",
        )  # fmt: skip
    return Diagnosis(
        "node.silent", Severity.CRITICAL, what, seen,
        f"Nothing moves by itself, since nobody but you can tell why it is silent. {TWO_WRITERS}",
        f"{LOOK_AT_IT}. Only when it is: {sight.doctor} --node-is-off {name}. When it is only cut "
        "off: mend its network, and the pod goes on where it is",
    )  # fmt: skip


def _unwell(node: Manifest) -> Diagnosis:
    name, told = node["metadata"]["name"], readiness(node)
    return Diagnosis(
        "node.unwell",
        Severity.SERIOUS,
        f"node {name} reports that it is not ready",
        f"since {told.get('lastTransitionTime')}: {told.get('reason')}: {told.get('message')}",
        "The machine is on: its kubelet says so itself. What runs on it may go on.",
        f"mend what it names, on {name}: its container runtime, its disk or its network",
    )


def _returned(sight: Sight, name: str) -> Diagnosis:
    return Diagnosis(
        "node.returned",
        Severity.MINOR,
        f"node {name} is back and still declared off",
        f"it is Ready and has the taint {OUT_OF_SERVICE}",
        "As long as the taint stays no pod runs there: there is one node less to move to.",
        f"{sight.doctor} --node-returned {name}",
    )


def since(sight: Sight, node: Manifest) -> str:
    """Say since when a node is silent, and when it was last heard of."""
    told = readiness(node)
    began = told.get("lastTransitionTime")
    if not began:
        return "it has never reported"
    seconds = (sight.now - datetime.fromisoformat(began)).total_seconds()
    heard = told.get("lastHeartbeatTime", "never")
    words = told.get("message", "")
    return f"not ready since {began}, for {lasting(seconds)}: {words} Last status: {heard}"


def lasting(seconds: float) -> str:
    """Write a length of time as people do: 42 s, 7 min, 3.5 h."""
    minute, hour = 60, 3600
    if seconds < 2 * minute:
        return f"{max(0, seconds):.0f} s"
    return f"{seconds / minute:.0f} min" if seconds < 2 * hour else f"{seconds / hour:.1f} h"


def stuck(sight: Sight) -> str:
    """Say what the API server shows of a pod that nobody can reach."""
    pod = sight.scene.pod
    if pod is None:
        return "the pod is gone"
    ending = pod["metadata"].get("deletionTimestamp")
    shown = f"Terminating since {ending}" if ending else "still shown as running"
    return f"pod {_pod_name(sight)} is {shown}"


def volume(sight: Sight) -> str:
    """Name the pod's volume, and where it is attached."""
    claim = sight.scene.claim
    name = ((claim or {}).get("spec") or {}).get("volumeName")
    if not name:
        return "it has no volume"
    if isinstance(sight.attached, Unseen):
        return f"volume {name}; where it is attached was not seen: {sight.attached.reason}"
    nodes = [one["spec"]["nodeName"] for one in sight.attached]
    where = f"attached to {', '.join(nodes)}" if nodes else "no driver says that it is attached"
    return f"volume {name}, {where}"


def _pod_name(sight: Sight) -> str:
    return str(sight.scene.pod["metadata"]["name"]) if sight.scene.pod else "(none)"
