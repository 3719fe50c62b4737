"""Who looks after an object that is there already: we, Argo CD, an operator, or someone by hand."""

from collections.abc import Collection, Iterator

from sturdis.core.cluster import Manifest
from sturdis.core.render.metadata import MANAGER

TRACKING_ID = "argocd.argoproj.io/tracking-id"
INSTANCE = "app.kubernetes.io/instance"
"""How Argo CD marks what it keeps: by annotation, or by a label with its Application's name."""

ARGO_MANAGERS = ("argocd-controller", "argocd-application-controller")
FLUX_MANAGERS = ("kustomize-controller", "helm-controller")
FLUX_LABELS = ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name")

HELM_RELEASE = "meta.helm.sh/release-name"


def is_ours(manifest: Manifest) -> bool:
    """Tell whether Sturdis has applied this object."""
    entries = manifest["metadata"].get("managedFields") or ()
    return any(one["manager"] == MANAGER and one["operation"] == "Apply" for one in entries)


def owners(manifest: Manifest) -> list[str]:
    """Name who else has written it, beside controllers that keep its status."""
    entries = manifest["metadata"].get("managedFields") or ()
    named = (one["manager"] for one in entries if not one.get("subresource"))
    return list(dict.fromkeys(name for name in named if name != MANAGER))


def controller(manifest: Manifest) -> str:
    """Name the object that made this one and would undo changes; empty: there is none."""
    for owner in manifest["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return f"{owner['kind']}/{owner['name']}"
    return ""


def helm_release(manifest: Manifest) -> str:
    """Name the release of Helm that it is part of; empty: of none."""
    return str((manifest["metadata"].get("annotations") or {}).get(HELM_RELEASE, ""))


def git_keeper(manifest: Manifest, applications: Collection[str]) -> str:
    """Say by what an object is kept as it is in Git; empty: by nothing that is seen.

    Args:
        manifest: The object as it is.
        applications: Names of Argo CD's Applications.
    """
    return next(_keepers(manifest, applications), "")


def _keepers(manifest: Manifest, applications: Collection[str]) -> Iterator[str]:
    meta = manifest["metadata"]
    labels, notes = meta.get("labels") or {}, meta.get("annotations") or {}
    managers = {one["manager"] for one in meta.get("managedFields") or ()}
    if tracking := notes.get(TRACKING_ID):
        yield f"Argo CD, Application {tracking.partition(':')[0]}"
    if labels.get(INSTANCE) in applications:
        yield f"Argo CD, Application {labels[INSTANCE]}"
    if managers.intersection(ARGO_MANAGERS):
        yield "Argo CD"
    for label in FLUX_LABELS:
        if label in labels:
            yield f"Flux, {labels[label]}"
    if managers.intersection(FLUX_MANAGERS):
        yield "Flux"
