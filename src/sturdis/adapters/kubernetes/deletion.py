"""Restarting a server in a cluster."""

from sturdis.adapters.kubernetes import unseen
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core.cluster import Ref
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Refused, Unseen


class ByDeletion:
    """Restarts the server by deleting its pod; the StatefulSet makes it anew."""

    def __init__(self, cluster: Cluster, pod: Ref) -> None:
        self._cluster = cluster
        self._pod = pod

    def restart(self) -> Refused | Unseen | None:
        """Delete the pod that is there now, and no other; None: it ends."""
        try:
            found = self._cluster.get(self._pod)
            if found is None:
                return Unseen(f"{self._pod} is gone already")
            self._cluster.delete(self._pod, uid=found["metadata"]["uid"])
        except ClusterError as error:
            forbidden = error.code == "cluster.forbidden"
            return unseen.because(error) if forbidden else Refused(f"{error.what}: {error.why}")
        return None
