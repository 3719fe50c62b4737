"""Names, labels and selectors that the objects of one deployment share."""

from collections.abc import Mapping

from sturdis.core.cluster import Manifest
from sturdis.core.spec import Spec

MANAGER = "sturdis"
"""Field manager of server-side apply, and the value of `MANAGED_BY`."""

MANAGED_BY = "app.kubernetes.io/managed-by"

COMPONENT = "app.kubernetes.io/component"
HEADLESS = "headless"
"""Component of the Service that Prometheus scrapes through; clients use the other one."""

PASSWORD_KEY = "password"  # noqa: S105  a key's name
EXPORTER_KEY = "exporter-password"
STURDIS_KEY = "sturdis-password"
"""Keys of the Secret `access.passwordSecret`: of the application, the exporter, and Sturdis."""

CONFIG_FOLDER = "/etc/redis"
DATA_FOLDER = "/data"
RUN_FOLDER = "/run/redis"
"""Where a container finds its files, its volume, and what is composed at each start."""


def selector(spec: Spec) -> dict[str, str]:
    """Give the labels by which the deployment's pods are found; a StatefulSet's never change.

    app.kubernetes.io/instance is left out: Argo CD may set it to a name of its own.
    """
    return {"app.kubernetes.io/name": spec.name, MANAGED_BY: MANAGER}


def labels(spec: Spec, component: str = "") -> dict[str, str]:
    """Give the labels of an object of the deployment."""
    return selector(spec) | ({COMPONENT: component} if component else {})


def meta(
    spec: Spec,
    name: str,
    *,
    component: str = "",
    annotations: Mapping[str, str] | None = None,
    more_labels: Mapping[str, str] | None = None,
) -> Manifest:
    """Give the metadata of an object in the deployment's namespace."""
    given: Manifest = {
        "name": name,
        "namespace": spec.namespace,
        "labels": labels(spec, component) | dict(more_labels or {}),
    }
    return given | ({"annotations": dict(annotations)} if annotations else {})


def headless_name(spec: Spec) -> str:
    """Name the Service that gives the pod its own name in DNS."""
    return f"{spec.name}-{HEADLESS}"


def pod_name(spec: Spec) -> str:
    """Name the one pod."""
    return f"{spec.name}-0"


def claim_name(spec: Spec) -> str:
    """Name the claim of the pod's volume: Kubernetes joins the template's name and the pod's."""
    return f"data-{pod_name(spec)}"


def client_label(spec: Spec) -> dict[str, str]:
    """Give the label of pods that a NetworkPolicy lets in."""
    return {f"{spec.name}-client": "true"}
