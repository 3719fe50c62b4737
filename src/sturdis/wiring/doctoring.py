"""`doctor`, joined with the cluster whose deployment it looks at."""

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.spec import Spec
from sturdis.wiring import cluster_targets
from sturdis.wiring.spec_files import load_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sturdis.adapters.kubernetes.examined import Examined
    from sturdis.core.apply.progress import Waiting
    from sturdis.core.doctor.declaring import Declaring
    from sturdis.core.doctor.diagnosis import Diagnoses
    from sturdis.flows.doctor import Moved


def examine(request: ClusterRequest, spec: Spec | None = None) -> "Diagnoses":
    """Say what is wrong with a deployment in a cluster; nothing is changed.

    Args:
        request: Which cluster, and where in it.
        spec: What is meant to be there; None: `load_spec()`.

    Raises:
        UsageError: The namespace is no name of one.
        ClusterError: There is no such cluster, or the pod may not be looked at.
    """
    from sturdis.flows import doctor as flow

    with _examined(request, spec) as (wanted, patient):
        return flow.examine(wanted, patient)


def declare_off(
    request: ClusterRequest,
    spec: Spec | None = None,
    *,
    node: str,
    agree: "Callable[[Declaring], None]",
    done: "Callable[[str], None]" = lambda _step: None,
    waiting: "Callable[[Waiting], None]" = lambda _waiting: None,
) -> "Moved":
    """Take a person's word that a node is off, and follow the pod until it serves elsewhere.

    Args:
        request: Which cluster, and where in it.
        spec: The deployment; None: `load_spec()`.
        node: The node.
        agree: Called with the plan before anything is changed; what it raises ends it there.
        done: Called with each step when it is done.
        waiting: Called at least once a second while it does not serve yet.

    Raises:
        UsageError: The namespace is no name of one; or by `agree`.
        ClusterError: `cluster.node`: it is not off as far as can be seen; or a right is missing, a
            step is refused, or it does not serve in time.
    """
    from sturdis.core.apply import progress
    from sturdis.flows import doctor as flow

    telling = flow.Telling(agree, done, waiting, time.monotonic)
    with _examined(request, spec) as (wanted, patient):
        seconds = cluster_targets.budget(wanted) + progress.SPARE_SECONDS
        return flow.declare_off(wanted, node, patient, telling, seconds=seconds)


def take_off(request: ClusterRequest, spec: Spec | None = None, *, node: str) -> bool:
    """Let a node that was declared off and is back take pods again; False: it was not.

    Raises:
        UsageError: The namespace is no name of one.
        ClusterError: `cluster.node`: it is not there or not back; or a right is missing.
    """
    from sturdis.flows import doctor as flow

    with _examined(request, spec) as (_wanted, patient):
        return flow.take_off(node, patient)


@contextmanager
def _examined(request: ClusterRequest, spec: Spec | None) -> "Iterator[tuple[Spec, Examined]]":
    from sturdis.adapters.kubernetes.api import Cluster
    from sturdis.adapters.kubernetes.examined import Examined
    from sturdis.core import cluster_place

    found = spec or load_spec()
    wanted, request = cluster_targets.placed(found, request), request.of_spec(found.namespace)
    with Cluster(request.context) as cluster:
        yield (
            wanted,
            Examined(
                cluster,
                wanted,
                cluster_place.place(wanted, request),
                request,
                lambda: cluster_targets.target_of(cluster, wanted, request, read_only=True),
            ),
        )
