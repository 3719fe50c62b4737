"""Whether a namespace is marked for drills. Without the mark nothing in it is ever broken."""

from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core import cluster_aim
from sturdis.core.cluster import NAMESPACE, Ref
from sturdis.core.errors import ClusterError, DrillError

LABEL = "sturdis/drills"
ALLOWED = "allowed"


def refuse_unmarked(cluster: Cluster, namespace: str) -> None:
    """Refuse a namespace that no person has marked.

    Raises:
        DrillError: `drill.not_marked`, also where the mark may not be looked at.
        ClusterError: The API server does not answer.
    """
    try:
        found = cluster.get(Ref(NAMESPACE, namespace))
    except ClusterError as error:
        if error.code != "cluster.forbidden":
            raise
        raise _not_marked(cluster, namespace, f"{error.what}: the mark is not seen") from error
    labels = ((found or {}).get("metadata") or {}).get("labels") or {}
    if labels.get(LABEL) != ALLOWED:
        told = f"{LABEL}={labels[LABEL]}" if LABEL in labels else f"no label {LABEL}"
        raise _not_marked(cluster, namespace, f"it has {told}; what it holds would be at stake")


def _not_marked(cluster: Cluster, namespace: str, why: str) -> DrillError:
    kubectl = cluster_aim.kubectl(cluster.name)
    return DrillError(
        "drill.not_marked",
        f"namespace {namespace} of {cluster.name} is not marked for drills",
        why=why,
        do=f"{kubectl} label namespace {namespace} {LABEL}={ALLOWED}    where jobs may be lost",
    )
