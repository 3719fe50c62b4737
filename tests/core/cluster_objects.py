"""Objects of a cluster as an API server gives them: values to plan and to explain from."""

import copy
from typing import Any

from sturdis.core.apply.facts import Facts
from sturdis.core.cluster import NAMESPACE, Manifest, ref_of
from sturdis.core.render import metadata, objects
from sturdis.core.spec import Spec

KUBECTL = "kubectl --context test -n redis"


def rendered(spec: Spec) -> list[Manifest]:
    return list(objects.deployment(spec).values())


def alive(manifest: Manifest, *, by: str = "sturdis", operation: str = "Apply") -> Manifest:
    """Give an object as it is once it was applied, by whom."""
    live = copy.deepcopy(manifest)
    live["metadata"] |= {
        "uid": f"uid-of-{manifest['metadata']['name']}",
        "resourceVersion": "7",
        "managedFields": [{"manager": by, "operation": operation}],
    }
    return live


def claim(size: str = "10Gi", storage_class: str = "longhorn-replicated") -> Manifest:
    return {
        "metadata": {"name": "data-redis-0", "uid": "uid-of-claim"},
        "spec": {
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": size}},
        },
        "status": {"phase": "Bound"},
    }


def pod(spec: Spec, *, ready: bool = True, revision: str = "redis-1", **labels: str) -> Manifest:
    marks = {**metadata.selector(spec), "controller-revision-hash": revision, **labels}
    return {
        "metadata": {"name": f"{spec.name}-0", "uid": "uid-of-pod", "labels": marks},
        "spec": _pod_spec(spec),
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


def _pod_spec(spec: Spec) -> Manifest:
    (stateful_set,) = (one for one in rendered(spec) if one["kind"] == "StatefulSet")
    found: Manifest = copy.deepcopy(stateful_set["spec"]["template"]["spec"])
    claims = {"claimName": metadata.claim_name(spec)}
    volume = {"name": "data", "persistentVolumeClaim": claims}
    return found | {"nodeName": "node1", "volumes": [*found["volumes"], volume]}


def nothing(spec: Spec, **other: Any) -> Facts:
    """Give the facts of a cluster without the deployment."""
    live = {ref_of(one): None for one in rendered(spec) if one["kind"] != NAMESPACE.kind}
    given: dict[str, Any] = {
        "kubectl": KUBECTL,
        "namespace": None,
        "live": live,
        "unserved": frozenset(),
        "pod": None,
        "claim": None,
        "storage_class": {"metadata": {"name": spec.storage.storage_class}},
        "secret_keys": None,
    }
    return Facts(**given | other)


def running(spec: Spec, *, by: str = "sturdis", operation: str = "Apply", **other: Any) -> Facts:
    """Give the facts of a cluster where the deployment serves."""
    live = {
        ref_of(one): alive(one, by=by, operation=operation)
        for one in rendered(spec)
        if one["kind"] != NAMESPACE.kind
    }
    for one in live.values():
        if one["kind"] == "StatefulSet":
            one["status"] = {"updateRevision": "redis-1", "observedGeneration": 1}
    namespace = alive({"metadata": {"name": spec.namespace}}, by=by, operation=operation)
    given = {"namespace": namespace, "live": live, "pod": pod(spec), "claim": claim()}
    return nothing(spec, **given | other)
