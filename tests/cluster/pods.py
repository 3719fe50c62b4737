"""Pods for the tests of the cluster tier, as small as PodSecurity `restricted` lets them be."""

from typing import Any

CLIENT = "cluster.test/client:1"
STORAGE_CLASS = "longhorn-replicated"


def container(name: str, image: str, *command: str, **rest: Any) -> dict[str, Any]:
    """Give a container that may do nothing out of the way."""
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    given = {"command": list(command)} if command else {}
    return {"name": name, "image": image, "securityContext": security, **given, **rest}


def pod(name: str, *containers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Give a pod of user 999 that runs the containers."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": spec(*containers, **rest),
    }


def spec(*containers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Give what is in a pod, for a set of them."""
    user = {
        "runAsNonRoot": True,
        "runAsUser": 999,
        "runAsGroup": 999,
        "fsGroup": 999,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return {
        "automountServiceAccountToken": False,
        "containers": list(containers),
        "securityContext": user,
        "terminationGracePeriodSeconds": 5,
        **rest,
    }


def client(name: str = "client") -> dict[str, Any]:
    """Give a pod that waits for commands: a shell, redis-cli, curl, nslookup."""
    return pod(name, container("client", CLIENT, "sleep", "infinity"))


def claim(name: str, size: str) -> dict[str, Any]:
    """Give a claim of the class that the default deployment names."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            "storageClassName": STORAGE_CLASS,
        },
    }


def service(name: str, port: int) -> dict[str, Any]:
    """Give a service in front of the pods that are labelled with its name."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": port}]},
    }


def stateful_redis(name: str, image: str, size: str) -> dict[str, Any]:
    """Give a set of one Redis with its data on a claim: the bare thing, without Sturdis."""
    words = ("redis-server", "--dir", "/data", "--appendonly", "yes", "--protected-mode", "no")
    ready = {"exec": {"command": ["redis-cli", "ping"]}, "periodSeconds": 1}
    mounts = [{"name": "data", "mountPath": "/data"}]
    redis = container("redis", image, *words, readinessProbe=ready, volumeMounts=mounts)
    template = {"metadata": {"labels": {"app": name}}, "spec": spec(redis)}
    wanted = claim("data", size)
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "serviceName": name,
            "template": template,
            "volumeClaimTemplates": [{"metadata": wanted["metadata"], "spec": wanted["spec"]}],
        },
    }
