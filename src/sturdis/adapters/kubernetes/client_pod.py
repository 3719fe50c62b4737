"""A pod that runs for a moment, to ask an address as any other pod would."""

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from uuid import uuid4

from sturdis.adapters.kubernetes import pod_look, unseen
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core.cluster import POD, Manifest, Ref, ref_of
from sturdis.core.cluster_facts import Asked
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.render import metadata
from sturdis.core.render.workload import USER
from sturdis.core.spec import Spec

RUN_SECONDS = 60
"""Longest life of the pod; Kubernetes ends it then, whatever became of us."""

LEFT_SECONDS = 5 * RUN_SECONDS
"""Age from which such a pod belongs to nobody any more."""

COMPONENT = "verify"

ENDED = ("Succeeded", "Failed")

CONTAINER = "client"


def ask(
    cluster: Cluster, spec: Spec, image: str, host: str, *, left_seconds: float = LEFT_SECONDS
) -> Asked | Unseen:
    """Ask `host` from a pod of its own, which is removed; those that were left are, too.

    Args:
        cluster: Where.
        spec: The deployment that `host` belongs to.
        image: The server's own, which is on the node already or can be had, and has redis-cli.
        host: The name to ask.
        left_seconds: Age from which another such pod is removed.
    """
    try:
        if not cluster.may("delete", POD, spec.namespace):  # it would stay
            return Unseen("no pod could ask it: the user of this context may not delete pods")
        _sweep(cluster, spec, left_seconds)
        return _asked(cluster, _pod(spec, image, host))
    except ClusterError as error:
        return Unseen(f"no pod could ask it: {unseen.because(error).reason}")


def _asked(cluster: Cluster, pod: Manifest) -> Asked | Unseen:
    ref = ref_of(pod)
    try:
        cluster.apply(pod)
        return _outcome(cluster, ref)
    finally:
        with suppress(ClusterError):  # it ends by itself, and the next run removes it
            cluster.delete(ref)


def _outcome(cluster: Cluster, ref: Ref) -> Asked | Unseen:
    last: Manifest = {}
    for last in cluster.watch(POD, ref.namespace, name=ref.name, seconds=RUN_SECONDS):
        status = last.get("status", {})
        if status.get("phase") in ENDED or is_stuck(status):
            break
    status = last.get("status", {})
    told = "\n".join(_message(one) for one in status.get("containerStatuses", ()))
    if "reply " not in told:
        return Unseen(f"the pod that should ask it did not run: {reason(status)}")
    lines = (line.split(" ", 1) for line in told.splitlines() if " " in line)
    return pod_look.read_answer(dict(lines))


def _message(container: Manifest) -> str:
    terminated = container.get("state", {}).get("terminated") or {}
    return str(terminated.get("message", ""))


def is_stuck(status: Manifest) -> bool:
    """Tell whether a container waits for what will not come by itself."""
    waiting = (one.get("state", {}).get("waiting", {}) for one in _containers(status))
    return any(
        "Err" in one.get("reason", "") or "BackOff" in one.get("reason", "") for one in waiting
    )


def _containers(status: Manifest) -> list[Manifest]:
    return list(status.get("containerStatuses", ()))


def reason(status: Manifest) -> str:
    """Say of a pod's status why it does not run, or has ended."""
    for one in _containers(status):
        state = one.get("state", {})
        told = state.get("waiting") or state.get("terminated") or {}
        if told:
            return f"{told.get('reason', '')} {told.get('message', '')}".strip()
    for one in status.get("conditions", ()):
        if one.get("status") == "False" and one.get("message"):
            return str(one["message"])
    return str(status.get("message") or status.get("phase") or "nothing was heard of it")


def _sweep(cluster: Cluster, spec: Spec, left_seconds: float) -> None:
    """Remove the pods of runs that were killed."""
    now = dt.datetime.now(dt.UTC)
    for pod in cluster.list(POD, spec.namespace, labels=_labels(spec)):
        made = dt.datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
        if (now - made).total_seconds() > left_seconds:
            ref = Ref(POD, pod["metadata"]["name"], spec.namespace)
            with suppress(ClusterError):
                cluster.delete(ref, uid=pod["metadata"]["uid"])


def _labels(spec: Spec) -> dict[str, str]:
    """Give labels that no Service of the deployment selects."""
    return {"app.kubernetes.io/name": f"{spec.name}-verify", metadata.COMPONENT: COMPONENT}


def _pod(spec: Spec, image: str, host: str) -> Manifest:
    script = f"{{ {pod_look.ASK}}} > /dev/termination-log"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{spec.name}-verify-{uuid4().hex[:8]}",
            "namespace": spec.namespace,
            "labels": _labels(spec) | metadata.client_label(spec),
        },
        "spec": confined(
            [
                {
                    "name": CONTAINER,
                    "image": image,
                    "command": ["sh", "-c", script, "sh", host],
                    "env": _login(spec),
                }
            ]
        ),
    }


def confined(
    containers: Sequence[Manifest], *, seconds: int = RUN_SECONDS, memory: str = "64Mi"
) -> Manifest:
    """Give the spec of a pod that ends soon and may do no more than PodSecurity `restricted`.

    Args:
        containers: What runs in it.
        seconds: Longest life.
        memory: The limit of each container.
    """
    limits = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": memory}}
    return {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": seconds,
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{**one, **_CONFINED, "resources": limits} for one in containers],
    }


_CONFINED: Manifest = {
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
}


def _login(spec: Spec) -> list[Manifest]:
    """Let the kubelet give the password to the pod; we never see it."""
    secret = spec.access.password_secret
    if secret is None:
        return []
    key = {"name": secret, "key": metadata.PASSWORD_KEY, "optional": True}
    return [{"name": "REDISCLI_AUTH", "valueFrom": {"secretKeyRef": key}}]
