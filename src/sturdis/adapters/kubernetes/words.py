"""What was said of a pod that is not ready: events of its namespace, and its containers' logs."""

from collections.abc import Mapping, Sequence

from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core.cluster import EVENT, POD, Manifest, Ref
from sturdis.core.cluster_troubles import container_statuses
from sturdis.core.errors import ClusterError

LOG_LINES = 20
"""Lines of a log that are looked at for why a container ended."""

LAST_LINES = 2000
"""Lines of a running server's log that are looked at: a quarter of a megabyte."""


def events(cluster: Cluster, namespace: str) -> Sequence[Manifest]:
    """Give the events of a namespace; none where they may not be read.

    Raises:
        ClusterError: The API server does not answer.
    """
    try:
        return tuple(cluster.list(EVENT, namespace))
    except ClusterError as error:
        if error.code != "cluster.forbidden":
            raise
        return ()


def logs(cluster: Cluster, pod: Manifest) -> Mapping[str, str]:
    """Give the last lines of each container's run that ended last; none that may not be read.

    Raises:
        ClusterError: The API server does not answer.
    """
    found = {}
    for one in container_statuses(pod):
        ended_now = "terminated" in (one.get("state") or {})
        if ended_now or "terminated" in (one.get("lastState") or {}):
            found[one["name"]] = log(cluster, pod, one["name"], previous=not ended_now)
    return found


def log(
    cluster: Cluster,
    pod: Manifest,
    container: str,
    *,
    previous: bool = False,
    lines: int = LOG_LINES,
) -> str:
    """Give the last lines of a container's run; none where they may not be read.

    Raises:
        ClusterError: The API server does not answer.
    """
    ref = Ref(POD, pod["metadata"]["name"], pod["metadata"]["namespace"])
    try:
        return cluster.log(ref, container, lines=lines, previous=previous)
    except ClusterError as error:
        if error.code != "cluster.forbidden":
            raise
        return ""
