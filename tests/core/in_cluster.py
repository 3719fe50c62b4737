"""What a healthy deployment looks like in a cluster, and changes to it."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sturdis.core.cluster import Kind, Manifest, Ref, ref_of
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.cluster_facts import Asked, ClusterFacts
from sturdis.core.cluster_place import Place, place
from sturdis.core.facts import ServerFacts
from sturdis.core.spec import Spec
from tests.core.healthy import CONFIG, HEALTHY

SPEC = Spec()
PLACE: Place = place(SPEC, ClusterRequest("test"))
LIVE = {ref_of(one): one for one in PLACE.wanted}
STATEFUL_SET = next(one for one in PLACE.wanted if one["kind"] == "StatefulSet")

POD_SEEN: Manifest = {
    "metadata": {
        "name": "redis-0",
        "namespace": "redis",
        "labels": STATEFUL_SET["spec"]["template"]["metadata"]["labels"]
        | {"controller-revision-hash": "redis-1"},
    },
    "spec": STATEFUL_SET["spec"]["template"]["spec"] | {"nodeName": "node1"},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {"name": "redis", "ready": True, "restartCount": 0},
            {"name": "redis-exporter", "ready": True, "restartCount": 0},
        ],
    },
}

CLAIM_SEEN: Manifest = {
    "metadata": {"name": "data-redis-0"},
    "spec": {
        "storageClassName": "longhorn-replicated",
        "resources": {"requests": {"storage": "10Gi"}},
    },
    "status": {"phase": "Bound", "capacity": {"storage": "10Gi"}},
}

CLUSTER = ClusterFacts(
    kubectl=PLACE.kubectl,
    apply=PLACE.apply,
    grow=PLACE.grow,
    host=PLACE.host,
    wanted=PLACE.wanted,
    pod=POD_SEEN,
    claim=CLAIM_SEEN,
    live=LIVE,
    services=tuple(one for one in PLACE.wanted if one["kind"] == "Service"),
    events=(),
    logs={},
    from_another_pod=Asked("PONG", "10.0.0.1"),
    from_its_own_pod=Asked("PONG", "10.0.0.1"),
)

IN_CLUSTER = replace(HEALTHY, cluster=CLUSTER, config=CONFIG | {"bind": "* -::*"})


def seen(**changes: Any) -> ServerFacts:
    return replace(IN_CLUSTER, cluster=replace(CLUSTER, **changes))


def changed(manifest: Manifest, change: Callable[[Manifest], object]) -> Manifest:
    other = copy.deepcopy(manifest)
    change(other)
    return other


def put(*path: str | int, value: Any) -> Callable[[Manifest], None]:
    """Make a change: set what is at `path`."""

    def change(manifest: Manifest) -> None:
        inner: Any = manifest
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value

    return change


def with_pod(change: Callable[[Manifest], object]) -> ServerFacts:
    return seen(pod=changed(POD_SEEN, change))


def with_claim(change: Callable[[Manifest], object]) -> ServerFacts:
    return seen(claim=changed(CLAIM_SEEN, change))


def with_live(kind: Kind, change: Callable[[Manifest], object], name: str = "redis") -> ServerFacts:
    ref = Ref(kind, name, "redis")
    return seen(live=LIVE | {ref: changed(LIVE[ref], change)})
