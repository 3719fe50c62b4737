"""Undoing the steps of a drill in a cluster."""

import time

from sturdis.adapters.kubernetes import entry, node_taints
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.port_forward import PortForward
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.cluster import CONFIG_MAP, NODE, POD, Ref, is_ready
from sturdis.core.drill import undo as steps
from sturdis.core.errors import ClusterError, TargetError
from sturdis.core.ports import REDIS_PORT
from sturdis.core.render import metadata
from sturdis.core.render.acl import STURDIS
from sturdis.core.replies import ErrorReply

KINDS = {kind.kind: kind for kind in (POD, CONFIG_MAP)}
"""What a drill makes in a cluster."""

BACK_WITHIN = 120.0
"""Seconds; longest wait for a node that was given its power back to report."""


def undo(step: steps.InCluster) -> None:
    """Undo one step; harmless where nothing is to be undone.

    Raises:
        ClusterError: The cluster is not reached, or refuses it.
        TargetError: The server does not answer, or refuses it.
        AccessError: It does not let us in.
    """
    with Cluster(step.context or None) as cluster:
        match step:
            case steps.DeleteObject(kind=kind, name=name, namespace=namespace):
                cluster.delete(Ref(KINDS[kind], name, namespace), at_once=True)
            case steps.TakeOffTaint(node=node):
                wait_until_back(cluster, node, BACK_WITHIN)
                node_taints.take_off(cluster, node)
            case steps.SetPodConfiguration():
                _set(cluster, step)


def wait_until_back(cluster: Cluster, node: str, seconds: float) -> None:
    """Return when a node reports that it is well; one that is not there is nothing to wait for.

    Raises:
        ClusterError: `cluster.node`: it does not within `seconds`; or nodes may not be watched.
    """
    found = cluster.get(Ref(NODE, node))
    if found is None or is_ready(found):
        return
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if any(map(is_ready, cluster.watch(NODE, "", name=node, seconds=left))):
            return
    raise ClusterError(
        "cluster.node",
        f"node {node} is not back after {seconds:.0f} s",
        why="it does not report that it is Ready",
        do="give it its power back, then: sturdis drill undo",
    )


def _set(cluster: Cluster, step: steps.SetPodConfiguration) -> None:
    password = None
    if step.secret:
        where = (step.secret, step.namespace, metadata.STURDIS_KEY)
        password = entry.held(cluster, *where, "sturdis apply")
    user = STURDIS.name if password else None
    with PortForward(cluster, Ref(POD, step.pod, step.namespace), REDIS_PORT) as forward:
        address = Address("", username=user, password=password, path=forward.path)
        with Link(address) as link:
            reply = link.call("CONFIG", "SET", step.name, step.value)
    if isinstance(reply, ErrorReply):
        raise TargetError(
            "target.refused",
            f"{step.pod} did not take {step.name} {step.value}",
            why=reply.text,
            do=f"set it by hand: CONFIG SET {step.name} {step.value}",
        )
