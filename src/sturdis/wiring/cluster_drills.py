"""Drills, joined with the deployment in a cluster that they break."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.spec import Spec
from sturdis.wiring import cluster_targets, doctoring
from sturdis.wiring.spec_files import load_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sturdis.adapters.drill_cluster.target import ClusterTarget


@contextmanager
def target(
    request: ClusterRequest, spec: Spec | None = None, hooks: Path | None = None
) -> "Iterator[ClusterTarget]":
    """Give a deployment in a cluster as a target of drills. Nothing is changed by that.

    Args:
        request: Which cluster, and where in it.
        spec: The deployment; None: `load_spec()`.
        hooks: The file of what can be done to its nodes; None: nothing can.

    Raises:
        UsageError: The namespace is no name of one.
        ClusterError: There is no such context, or no pod of the deployment.
        DrillError: `drill.unreadable` or `drill.invalid`: the file of hooks; `drill.not_marked`.
    """
    from sturdis.adapters.drill_cluster import hook_file
    from sturdis.adapters.drill_cluster.target import ClusterTarget
    from sturdis.adapters.kubernetes.api import Cluster
    from sturdis.core import cluster_place

    given = spec or load_spec()
    wanted, request = cluster_targets.placed(given, request), request.of_spec(given.namespace)

    def declare_off(node: str) -> None:
        """Take the drill's word: it has taken the node's power itself."""
        doctoring.declare_off(request, wanted, node=node, agree=lambda _plan: None)

    told = hook_file.read(hooks)
    with Cluster(request.context) as cluster:
        found = ClusterTarget(
            cluster,
            wanted,
            cluster_place.place(wanted, request),
            lambda: cluster_targets.target_of(cluster, wanted, request, read_only=True),
            told,
            declare_off,
        )
        found.refuse_unmarked()
        yield found
