"""What was seen of the deployment's objects in a cluster: values that checks judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sturdis.core.cluster import Manifest, Ref
from sturdis.core.facts import NotVisible, Unseen

LiveObject = Manifest | None | Unseen | NotVisible
"""An object as the API server has it; None: it is not there. Not visible: its kind is not known
to that cluster."""


@dataclass(frozen=True)
class Asked:
    """What was answered to PING at the address that clients are given, from inside the cluster."""

    reply: str
    """The reply, or what redis-cli said where there was none."""
    resolved: str
    """The addresses of the name; empty: the image has nothing to show them with."""


@dataclass(frozen=True)
class ClusterFacts:
    """One look at the deployment's objects."""

    kubectl: str
    """What to type before a command of kubectl to look there: `kubectl --context test -n redis`."""
    apply: str
    """What to type to bring the cluster to the spec."""
    grow: str
    """What to type to bring the volume to the size of the spec."""
    host: str
    """The name that clients are given."""
    wanted: Sequence[Manifest]
    """The objects of the spec, as it is rendered."""
    pod: Manifest
    claim: LiveObject
    live: Mapping[Ref, LiveObject]
    """The same objects as they are, by name."""
    services: Sequence[Manifest] | Unseen
    """All Services of the namespace, by one of which Prometheus finds the exporter."""
    events: Sequence[Manifest]
    """Of the namespace, looked at where the pod is not ready; empty: none, or not to be seen."""
    logs: Mapping[str, str]
    """Container to the last lines of its run that ended last, likewise."""
    from_another_pod: Asked | Unseen
    from_its_own_pod: Asked | Unseen
