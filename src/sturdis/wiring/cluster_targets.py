"""What the verbs do that are aimed at the deployment in a cluster."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from sturdis.core import address as addresses
from sturdis.core import spec as specs
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.errors import UsageError
from sturdis.core.facts import NOT_TRIED
from sturdis.core.restarting import RestartPlan
from sturdis.core.spec import Spec, forms
from sturdis.core.supervision import limits

if TYPE_CHECKING:
    from sturdis.adapters.kubernetes.api import Cluster
    from sturdis.adapters.kubernetes.target import PodTarget
    from sturdis.core.replies import Reply
    from sturdis.core.report import Report


HOW = "delete the pod; its StatefulSet makes it anew"
"""How a server in a cluster is restarted, in the words of the plan."""


def verify(
    request: ClusterRequest,
    spec: Spec,
    *,
    metrics_url: str | None = None,
    read_only: bool = False,
    agree: Callable[[RestartPlan], None] | None = None,
) -> "Report":
    """Check every promise against what runs in a cluster.

    Args:
        request: Which cluster, and where in it.
        spec: What is promised.
        metrics_url: Where the metrics are; None: they are read through the API server.
        read_only: Write nothing and run no pod; what only that would show is unknown.
        agree: As for an address; the pod is deleted.

    Raises:
        UsageError: The address of the metrics is not understood.
        ClusterError: There is no such cluster or pod, or it may not be looked at.
        TargetError: The server does not answer just before its restart; or AccessError.
    """
    from sturdis.adapters.kubernetes.api import Cluster
    from sturdis.adapters.kubernetes.deletion import ByDeletion
    from sturdis.flows import verify as flow

    url = None if metrics_url is None else addresses.parse_metrics_url(metrics_url)
    promised = placed(spec, request)
    request = request.of_spec(spec.namespace)
    with (
        Cluster(request.context) as cluster,
        target_of(cluster, promised, request, metrics_url=url, read_only=read_only) as target,
    ):
        if agree is None:
            return flow.verify(promised, target)
        if read_only:
            return flow.verify(promised, target, NOT_TRIED)
        agree(RestartPlan(str(target), budget(promised), HOW))
        return flow.verify(promised, target, ByDeletion(cluster, target.pod))


def call(words: Sequence[str | bytes], request: ClusterRequest, spec: Spec) -> "Reply":
    """Send one Redis command to what runs in a cluster and give its reply, however long it takes.

    Raises:
        ClusterError: There is no such cluster or pod, or its port may not be reached.
        TargetError: It does not answer as Redis.
        AccessError: It does not let us in.
    """
    from sturdis.adapters.kubernetes.api import Cluster
    from sturdis.adapters.redis import link

    with (
        Cluster(request.context) as cluster,
        target_of(cluster, placed(spec, request), request.of_spec(spec.namespace)) as target,
        target.explained(),
        link.Link(link.admitted(target.address), reply_seconds=None) as connection,
    ):
        return connection.call(*words)


def placed(spec: Spec, request: ClusterRequest) -> Spec:
    """Give the spec in the namespace that is meant.

    Raises:
        UsageError: `usage`: it is no name of a namespace.
    """
    if request.namespace is None:
        return spec
    if not re.fullmatch(forms.DNS_LABEL, request.namespace):
        raise UsageError(
            "usage",
            f"{request.namespace!r} is no name of a namespace",
            why="it is not a DNS label: small letters, digits and inner dashes, at most 63",
            do="kubectl get namespaces    lists them",
        )
    return msgspec.structs.replace(spec, namespace=request.namespace)


def target_of(
    cluster: "Cluster",
    spec: Spec,
    request: ClusterRequest,
    *,
    metrics_url: str | None = None,
    read_only: bool = False,
) -> "PodTarget":
    """Reach the deployment of a spec through its pod.

    Args:
        cluster: Where.
        spec: The deployment, in the namespace that is meant.
        request: What to type to reach it again.
        metrics_url: Where its metrics are; None: they are read through the API server.
        read_only: Write nothing and run no pod.

    Raises:
        ClusterError: `cluster.no_pod`, or the pod may not be read.
    """
    from sturdis.adapters.kubernetes.target import PodTarget
    from sturdis.core import cluster_place

    return PodTarget(
        cluster,
        spec,
        cluster_place.place(spec, request),
        password=request.password,
        metrics_url=metrics_url,
        read_only=read_only,
        start_seconds=budget(spec),
    )


def budget(spec: Spec) -> float:
    """Give the longest wait for the next pod to serve: its predecessor's end, and its start."""
    return limits.STOP_SECONDS + limits.start_budget(specs.maxmemory(spec))
