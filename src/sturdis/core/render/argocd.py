"""The Application by which Argo CD deploys what is rendered."""

from dataclasses import dataclass

from sturdis.core.cluster import Manifest
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

NAMESPACE = "argocd"
"""Where Argo CD looks for Applications, as it is usually installed."""


@dataclass(frozen=True)
class Source:
    """Where Argo CD finds the tree."""

    repo_url: str
    folder: str = ""
    """Folder of the repository that the tree is rendered into; empty: its top."""


def application(spec: Spec, source: Source, path: str) -> Manifest:
    """Give the Application.

    It has no finalizer: deleting it leaves the deployment as it is.

    Args:
        spec: The deployment.
        source: The repository.
        path: What it deploys, below the source's folder.
    """
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": spec.name,
            "namespace": NAMESPACE,
            "labels": metadata.labels(spec),
        },
        "spec": {
            "project": spec.gitops.project,
            "source": {
                "repoURL": source.repo_url,
                "targetRevision": spec.gitops.revision,
                "path": f"{source.folder}/{path}" if source.folder else path,
            },
            "destination": {
                "server": "https://kubernetes.default.svc",
                "namespace": spec.namespace,
            },
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["ServerSideApply=true"],
            },
        },
    }
