"""What is there of a deployment before it is applied: values that a plan is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sturdis.core import cluster
from sturdis.core.cluster import Kind, Manifest, Ref
from sturdis.core.facts import Unseen
from sturdis.core.servers import Server
from sturdis.core.spec import Spec

if TYPE_CHECKING:
    from sturdis.core.apply.persistence import Persistence

APPLICATION = Kind("argoproj.io", "v1alpha1", "Application", "applications")
"""What Argo CD deploys."""

POD_LOG = Kind("", "v1", "Pod", "pods/log")

Looked = Manifest | Unseen | None
"""An object; None: it is not there. Unseen: it may not be looked at."""


@dataclass(frozen=True)
class Right:
    """Something that the user must be allowed to do."""

    verb: str
    """As RBAC names it."""
    kind: Kind
    namespace: str
    """Empty: in the whole cluster."""

    def __str__(self) -> str:
        group = f".{self.kind.group}" if self.kind.group else ""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.kind.plural}{group}{where}"


@dataclass(frozen=True)
class Facts:
    """One look at a cluster."""

    kubectl: str
    """What to type before a command of kubectl to look there: `kubectl --context test -n redis`."""
    namespace: Looked
    live: Mapping[Ref, Manifest | None]
    """Each object of the deployment in its namespace; of kinds not served there is none."""
    unserved: frozenset[Kind]
    """Kinds of the deployment that the API server does not know."""
    pod: Manifest | None
    claim: Manifest | None
    storage_class: Looked
    secret_keys: frozenset[str] | Unseen | None
    """Keys of the Secret `access.passwordSecret` that have a value; None: it is not there."""
    applications: frozenset[str] = frozenset()
    """Names of the Applications of Argo CD that can be seen."""
    server: Server | None = None
    """What the server in the pod says that it is; None: it was not asked, or did not tell."""

    persistence: "Persistence | Unseen | None" = None
    """What a server that others started tells of its files; None: none runs that must be asked."""
    led_to: Mapping[Ref, Sequence[str] | Unseen] = field(default_factory=dict)
    """Service of others to the pods that it selects and that are not the deployment's."""

    def find(self, ref: Ref) -> Manifest | None:
        """Give the object as it is; None: it is not there, or not seen."""
        if ref.kind == cluster.NAMESPACE:
            return self.namespace if isinstance(self.namespace, dict) else None
        return self.live.get(ref)


def needed(spec: Spec, facts: Facts) -> list[Right]:
    """Give what the user must be allowed to do to apply the deployment.

    Args:
        spec: The deployment.
        facts: What is there of it.
    """
    here = spec.namespace
    missing = {ref.kind for ref, one in facts.live.items() if one is None}
    rights = [Right("create", cluster.NAMESPACE, "")] if facts.namespace is None else []
    for kind in dict.fromkeys(ref.kind for ref in facts.live):
        rights.append(Right("patch", kind, here))
        rights += [Right("create", kind, here)] if kind in missing else []
    rights += [Right("watch", kind, here) for kind in (cluster.STATEFUL_SET, cluster.POD)]
    return rights


def helpful(spec: Spec) -> list[Right]:
    """Give what finds out more before and after applying, and is not needed for it."""
    here = spec.namespace
    return [
        Right("watch", cluster.EVENT, here),
        Right("watch", cluster.CLAIM, here),
        Right("get", POD_LOG, here),
        Right("get", cluster.STORAGE_CLASS, ""),
        *([Right("get", cluster.SECRET, here)] if spec.access.password_secret else []),
    ]
