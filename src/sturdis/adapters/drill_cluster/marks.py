"""Whether a person has marked what a fault strikes. Without the mark nothing is ever broken."""

from collections.abc import Callable, Sequence

from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core import cluster_aim
from sturdis.core.cluster import Ref
from sturdis.core.drill.events import Event
from sturdis.core.drill.observed import Figures
from sturdis.core.drill.stage import Fault
from sturdis.core.errors import ClusterError, DrillError

LABEL = "sturdis/drills"
ALLOWED = "allowed"


def refuse_unmarked(cluster: Cluster, ref: Ref) -> None:
    """Refuse a namespace, or a node, that no person has marked.

    Raises:
        DrillError: `drill.not_marked`, also where the mark may not be looked at.
        ClusterError: The API server does not answer.
    """
    try:
        found = cluster.get(ref)
    except ClusterError as error:
        if error.code != "cluster.forbidden":
            raise
        raise _not_marked(cluster, ref, f"{error.what}: the mark is not seen") from error
    labels = ((found or {}).get("metadata") or {}).get("labels") or {}
    if labels.get(LABEL) != ALLOWED:
        told = f"{LABEL}={labels[LABEL]}" if LABEL in labels else f"no label {LABEL}"
        raise _not_marked(cluster, ref, f"it has {told}; what it holds would be at stake")


class WhereMarked:
    """A fault that is injected only where the marks are still there.

    Args:
        fault: The fault.
        refuse: Looks at the marks.
    """

    def __init__(self, fault: Fault, refuse: Callable[[], None]) -> None:
        self._fault = fault
        self._refuse = refuse

    def prepare(self) -> None:
        """Do what the fault needs before load starts.

        Raises:
            SturdisError: As the fault's.
        """
        self._fault.prepare()

    def inject(self, number: int) -> Sequence[Event]:
        """Look at the marks again, then break.

        Raises:
            DrillError: `drill.not_marked`: one was taken away, and nothing was broken.
            SturdisError: As the fault's.
        """
        self._refuse()
        return self._fault.inject(number)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Mend, whatever the marks say now.

        Raises:
            SturdisError: As the fault's.
        """
        return self._fault.undo(number, seconds)

    def figures(self) -> Figures:
        """Give the fault's."""
        return self._fault.figures()


def _not_marked(cluster: Cluster, ref: Ref, why: str) -> DrillError:
    kubectl, kind = cluster_aim.kubectl(cluster.name), ref.kind.kind.lower()
    return DrillError(
        "drill.not_marked",
        f"{kind} {ref.name} of {cluster.name} is not marked for drills",
        why=why,
        do=f"{kubectl} label {kind} {ref.name} {LABEL}={ALLOWED}    where jobs may be lost",
    )
