"""A node that a person declares off, and the same node back: what may be done, and what it does."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from sturdis.core.apply.facts import Right
from sturdis.core.cluster import NODE, POD, STATEFUL_SET, Manifest, is_ready, readiness
from sturdis.core.doctor import nodes
from sturdis.core.doctor.facts import Sight
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen

TAINT = {"key": nodes.OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"}
"""As Kubernetes' documentation of a non-graceful node shutdown writes it."""

SPELLED = f"{TAINT['key']}={TAINT['value']}:{TAINT['effect']}"


@dataclass(frozen=True)
class Named:
    """A node that was named, and what is known of it."""

    name: str
    node: Manifest | None
    """None: the cluster has none of that name."""
    names: Sequence[str] = ()
    """Of all nodes."""
    pods: int | Unseen = 0
    """How many pods are on it, of all namespaces."""


@dataclass(frozen=True)
class Declaring:
    """What is done once the node was declared off."""

    node: str
    target: str
    is_declared: bool
    """Whether it has the taint already."""
    pod_name: str
    pod_uid: str | None
    """Of the pod on that node; None: it is not there, or no more."""
    evidence: str
    pods: int | Unseen
    seconds: float
    """Longest wait until the pod serves elsewhere."""
    warnings: Sequence[str] = field(default=())

    def __str__(self) -> str:
        """Show it as it is agreed to."""
        taint = f"set the taint {SPELLED} on node {self.node}{self._others}"
        if self.is_declared:
            taint = f"leave the taint {SPELLED}, which node {self.node} has"
        pod = f"delete pod {self.pod_name} without waiting for its node to end it"
        if self.pod_uid is None:
            pod = f"leave pod {self.pod_name}, which is not on that node"
        return (
            f"doctor --node-is-off does this for {self.target}:\n"
            f"  1. {taint}\n  2. {pod}\n"
            f"  3. wait up to {self.seconds:.0f} s until it serves on another node\n"
            f"What is seen of {self.node}: {self.evidence}\n"
            "That it is off only you can tell. If its server still runs, two write to one volume, "
            "and what one of them acknowledges is lost."
        )

    @property
    def _others(self) -> str:
        if isinstance(self.pods, Unseen):
            return ";\n     it moves all of its pods, also those of others"
        return f";\n     it moves all of its {self.pods} pods, also those of others"


def off(named: Named, sight: Sight, seconds: float) -> Declaring:
    """Say what is done when a node is declared off.

    Raises:
        ClusterError: `cluster.node`: it is not there, it is not off, or nothing of this deployment
            is on it.
    """
    node = _found(named)
    is_here = _is_on(sight, named.name)
    _refuse_living(named.name, node, sight, is_here=is_here)
    warnings = () if is_here else (_elsewhere(named.name, sight),)
    pod = sight.scene.pod if is_here else None
    return Declaring(
        named.name,
        sight.target,
        nodes.is_declared(node),
        _pod_name(sight),
        None if pod is None else pod["metadata"]["uid"],
        "; ".join((nodes.since(sight, node), nodes.stuck(sight), nodes.volume(sight))),
        named.pods,
        seconds,
        warnings,
    )


def _found(named: Named) -> Manifest:
    if named.node is not None:
        return named.node
    close = difflib.get_close_matches(named.name, named.names, 1)
    raise ClusterError(
        "cluster.node",
        f"the cluster has no node {named.name}",
        why=f"its nodes are {', '.join(named.names)}" if named.names else "it says so",
        do=f"did you mean {close[0]}?" if close else "kubectl get nodes    lists them",
    )


def _is_on(sight: Sight, name: str) -> bool:
    pod = sight.scene.pod
    return pod is not None and pod["spec"].get("nodeName") == name


def _refuse_living(name: str, node: Manifest, sight: Sight, *, is_here: bool) -> None:
    told, why = readiness(node), ""
    if is_ready(node):
        why = f"it reports that it is Ready, last at {told.get('lastHeartbeatTime')}"
    elif not nodes.is_silent(node):
        why = f"its kubelet reports {told.get('reason')}: {told.get('message')}"
    elif is_here and sight.answers is True:
        why = f"pod {_pod_name(sight)} on it answers through the API server: its server runs"
    if why:
        raise ClusterError(
            "cluster.node",
            f"node {name} is not off",
            why=f"{why}; nothing was changed",
            do=f"{sight.doctor}    says what is wrong; kubectl drain {name}    empties a node "
            "that runs",
        )


def _elsewhere(name: str, sight: Sight) -> str:
    """Warn that the pod is on another node, where its volume still is on this one.

    Raises:
        ClusterError: `cluster.node`: neither is on it.
    """
    pod = sight.scene.pod
    where = (pod or {"spec": {}})["spec"].get("nodeName") or "no node"
    attached = sight.attached if isinstance(sight.attached, Sequence) else ()
    if any(one["spec"].get("nodeName") == name for one in attached):
        return f"{_pod_name(sight)} is on {where}; only its volume is still attached to {name}"
    raise ClusterError(
        "cluster.node",
        f"nothing of this deployment is on node {name}",
        why=f"pod {_pod_name(sight)} is on {where}; nothing was changed",
        do=f"{sight.doctor}    says what is wrong; the taint for others' sake: "
        f"kubectl taint nodes {name} {SPELLED}",
    )


def _pod_name(sight: Sight) -> str:
    pod, owner = sight.scene.pod, sight.scene.stateful_set
    if pod is not None:
        return str(pod["metadata"]["name"])
    return f"{owner['metadata']['name']}-0" if owner else "of this deployment"


def returned(named: Named) -> bool:
    """Tell whether the taint has to come off a node that is back; False: it has none.

    Raises:
        ClusterError: `cluster.node`: it is not there, or not Ready again.
    """
    node = _found(named)
    if not nodes.is_declared(node):
        return False
    if is_ready(node):
        return True
    told = readiness(node)
    raise ClusterError(
        "cluster.node",
        f"node {named.name} is not back",
        why=f"it is not Ready since {told.get('lastTransitionTime')}: {told.get('message')}",
        do="wait until it is: a node without the taint that comes back in pieces keeps its pods",
    )


def rights(namespace: str) -> list[Right]:
    """Give what the user must be allowed to do to declare a node off."""
    return [
        Right("patch", NODE, ""),
        Right("delete", POD, namespace),
        Right("watch", POD, namespace),
        Right("watch", STATEFUL_SET, namespace),
    ]
