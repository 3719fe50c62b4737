"""How the server is reached: the namespace, a stable and a headless Service, who is let in."""

from sturdis.core.cluster import Manifest
from sturdis.core.ports import REDIS_PORT
from sturdis.core.render import metadata, workload
from sturdis.core.spec import Spec


def namespace(spec: Spec) -> Manifest:
    """Give the namespace, in which every pod must be confined as ours are.

    Argo CD neither prunes nor deletes it: the claim with the data is in it.
    """
    level = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": spec.namespace,
            "labels": {metadata.MANAGED_BY: metadata.MANAGER, **level},
            "annotations": {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"},
        },
    }


def service(spec: Spec) -> Manifest:
    """Give the Service that clients connect to; its address stays when the pod is replaced."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata.meta(spec, spec.name),
        "spec": {
            "type": "ClusterIP",
            "selector": metadata.selector(spec),
            "ports": [_port("redis", REDIS_PORT)],
        },
    }


def headless_service(spec: Spec) -> Manifest:
    """Give the Service that names the pod and that metrics are read through.

    Also while the pod is not ready: that is when metrics are wanted.
    """
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata.meta(spec, metadata.headless_name(spec), component=metadata.HEADLESS),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": metadata.selector(spec),
            "ports": [
                _port("redis", REDIS_PORT),
                _port("metrics", workload.exporter_port(spec)),
            ],
        },
    }


def network_policy(spec: Spec) -> Manifest:
    """Let only pods with the client label connect, from any namespace; metrics are open."""
    clients: Manifest = {
        "namespaceSelector": {},
        "podSelector": {"matchLabels": metadata.client_label(spec)},
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata.meta(spec, spec.name),
        "spec": {
            "podSelector": {"matchLabels": metadata.selector(spec)},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"from": [clients], "ports": [{"protocol": "TCP", "port": "redis"}]},
                # from nodes too: the API server reads them for `kubectl get --raw`
                {"ports": [{"protocol": "TCP", "port": "metrics"}]},
            ],
        },
    }


def _port(name: str, number: int) -> Manifest:
    return {"name": name, "protocol": "TCP", "port": number, "targetPort": name}
