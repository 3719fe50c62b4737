"""What is named in a cluster: kinds, objects by name, and what a user is refused there."""

from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]
"""One Kubernetes object, as YAML gives it."""


@dataclass(frozen=True)
class Kind:
    """A kind of object, as the API server serves it."""

    group: str
    """Empty: the core group."""
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The value of apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version


NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
NODE = Kind("", "v1", "Node", "nodes", namespaced=False)
POD = Kind("", "v1", "Pod", "pods")
SERVICE = Kind("", "v1", "Service", "services")
SECRET = Kind("", "v1", "Secret", "secrets")
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
EVENT = Kind("", "v1", "Event", "events")
CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
VOLUME = Kind("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False)
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets")
REVISION = Kind("apps", "v1", "ControllerRevision", "controllerrevisions")
NETWORK_POLICY = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
STORAGE_CLASS = Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False)
SERVICE_MONITOR = Kind("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors")
PROMETHEUS_RULE = Kind("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules")

KINDS = (
    NAMESPACE, NODE, POD, SERVICE, SECRET, CONFIG_MAP, EVENT, CLAIM, VOLUME, STATEFUL_SET,
    REVISION, NETWORK_POLICY, STORAGE_CLASS, SERVICE_MONITOR, PROMETHEUS_RULE,
)  # fmt: skip
"""Every kind that Sturdis reads or writes."""


@dataclass(frozen=True)
class Ref:
    """One object by its name."""

    kind: Kind
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        """Write it as kubectl does: statefulset/redis."""
        return f"{self.kind.kind.lower()}/{self.name}"


def readiness(manifest: Manifest) -> Manifest:
    """Give the condition Ready of a pod or a node; empty: it has none."""
    conditions = (manifest.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == "Ready"), {})


def is_ready(manifest: Manifest) -> bool:
    """Tell whether a pod takes connections, or a node reports that it is well."""
    return bool(readiness(manifest).get("status") == "True")


def kind_of(manifest: Manifest) -> Kind:
    """Give the kind of an object that Sturdis renders.

    Raises:
        KeyError: It is of none of `KINDS`.
    """
    wanted = (manifest["apiVersion"], manifest["kind"])
    return {(kind.api_version, kind.kind): kind for kind in KINDS}[wanted]


def ref_of(manifest: Manifest) -> Ref:
    """Name an object that Sturdis renders."""
    meta = manifest["metadata"]
    return Ref(kind_of(manifest), meta["name"], meta.get("namespace", ""))
