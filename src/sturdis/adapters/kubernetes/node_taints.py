"""The taint out-of-service: set on a node and taken off again, whoever else changes the node."""

from collections.abc import Callable

from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core.cluster import NODE, Manifest, Ref
from sturdis.core.doctor import nodes
from sturdis.core.doctor.declaring import TAINT
from sturdis.core.errors import ClusterError

ATTEMPTS = 5
"""How often a node is read and changed anew that its controllers change at the same time."""


def declare_off(cluster: Cluster, name: str) -> None:
    """Set the taint; one that is there is as good.

    Raises:
        ClusterError: It is refused, or the node is not there.
    """
    _change(cluster, name, lambda node: [*_others(node), TAINT])


def take_off(cluster: Cluster, name: str) -> None:
    """Take the taint off; without one that is as good.

    Raises:
        ClusterError: It is refused, or the node is not there.
    """
    _change(cluster, name, _others)


def _others(node: Manifest) -> list[Manifest]:
    return [one for one in nodes.taints(node) if one["key"] != nodes.OUT_OF_SERVICE]


def _change(cluster: Cluster, name: str, wanted: Callable[[Manifest], list[Manifest]]) -> None:
    ref = Ref(NODE, name)
    for attempt in range(ATTEMPTS):
        node = cluster.get(ref) or {"metadata": {}, "spec": {}}
        # The list is replaced as a whole: only if nobody changed it meanwhile.
        version = {"resourceVersion": node["metadata"].get("resourceVersion", "")}
        try:
            cluster.patch(ref, {"metadata": version, "spec": {"taints": wanted(node)}})
        except ClusterError as error:
            if error.code != "cluster.conflict" or attempt == ATTEMPTS - 1:
                raise
        else:
            return
