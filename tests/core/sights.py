"""What a doctor sees of a healthy deployment, and changes to it."""

import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sturdis.core.cluster import Manifest
from sturdis.core.cluster_troubles import Scene
from sturdis.core.doctor import judging
from sturdis.core.doctor.diagnosis import Diagnosis
from sturdis.core.doctor.facts import Disk, Inside, Sight
from sturdis.core.spec import Spec
from tests.core.cluster_objects import claim, pod
from tests.core.in_cluster import IN_CLUSTER

SPEC = Spec()
GIB = 2**30
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SINCE = "2026-11-25T11:53:00Z"
VOLUME = "pvc-7"


def node(name: str = "node1", ready: str = "True", *, taints: tuple[str, ...] = ()) -> Manifest:
    """Give a node; `ready` is True, False or Unknown."""
    reason = {"Unknown": "NodeStatusUnknown", "False": "KubeletNotReady"}.get(ready, "KubeletReady")
    told = {
        "type": "Ready",
        "status": ready,
        "reason": reason,
        "message": f"{reason} message.",
        "lastTransitionTime": SINCE,
        "lastHeartbeatTime": "2026-11-25T11:52:20Z",
    }
    return {
        "metadata": {"name": name},
        "spec": {"taints": [{"key": key, "effect": "NoExecute"} for key in taints]},
        "status": {"conditions": [told]},
    }


def container(name: str = "redis", **status: Any) -> Manifest:
    state: Manifest = {"running": {"startedAt": "2026-11-25T10:00:00Z"}}
    head = {"name": name, "image": "redis:8.0.5", "ready": True, "started": True}
    return {**head, "restartCount": 0, "state": state, **status}


def running(*containers: Manifest) -> Manifest:
    found = pod(SPEC)
    found["spec"]["containers"] = [
        {"name": "redis", "resources": {"limits": {"memory": "1Gi"}}},
        {"name": "redis-exporter"},
    ]
    found["status"]["containerStatuses"] = list(
        containers or (container(), container("redis-exporter"))
    )
    return found


def scene(**changes: Any) -> Scene:
    bound = copy.deepcopy(claim())
    bound["spec"]["volumeName"] = VOLUME
    stateful_set = {
        "metadata": {"name": "redis", "uid": "uid-of-set", "generation": 2},
        "spec": {"replicas": 1},
        "status": {"observedGeneration": 2, "updateRevision": "redis-1"},
    }
    given: dict[str, Any] = {"stateful_set": stateful_set, "pod": running(), "claim": bound}
    return Scene(**given | changes)


HEALTHY = Sight(
    target="pod/redis-0 in namespace redis of test",
    kubectl="kubectl --context test -n redis",
    doctor="sturdis doctor --context test",
    apply="sturdis apply --context test",
    cli="sturdis cli --context test",
    now=NOW,
    scene=scene(),
    node=node(),
    attached=[{"spec": {"nodeName": "node1", "source": {"persistentVolumeName": VOLUME}}}],
    server=IN_CLUSTER,
    inside=Inside(Disk(9 * GIB, 10 * GIB), frozenset()),
)


def seen(**changes: Any) -> Sight:
    return replace(HEALTHY, **changes)


def with_scene(**changes: Any) -> Sight:
    return seen(scene=scene(**changes))


def ids(sight: Sight) -> list[str]:
    return [one.id for one in judging.judge(SPEC, sight).found]


def only(sight: Sight) -> Diagnosis:
    (found,) = judging.judge(SPEC, sight).found
    return found
