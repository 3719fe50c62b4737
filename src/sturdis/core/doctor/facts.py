"""One look at a deployment that may be ill: its objects, its node, its volume, its server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sturdis.core.cluster import Kind, Manifest
from sturdis.core.cluster_troubles import Scene
from sturdis.core.doctor.live import Live
from sturdis.core.facts import ServerFacts, Unseen

VOLUME_ATTACHMENT = Kind(
    "storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", namespaced=False
)
"""Which volume of a driver is attached to which node."""


NO_POD = Unseen("there is no pod that could be asked")
"""What of a server is seen without its pod."""

NO_LOOK = Unseen("it was not looked at twice")
"""What moves in a server that nobody looked at a second time."""


@dataclass(frozen=True)
class Disk:
    """The file system that holds the data. Bytes."""

    free: int
    total: int


@dataclass(frozen=True)
class Inside:
    """What only the server's container shows."""

    disk: Disk | Unseen
    stale: frozenset[str] | Unseen
    """Keys of the Secret with passwords whose value is not the one that the server was started
    with; empty where there is no Secret. Compared by salted digests, never shown."""


@dataclass(frozen=True)
class Sight:
    """What was seen."""

    target: str
    kubectl: str
    """What to type before a command of kubectl: `kubectl --context test -n redis`."""
    doctor: str
    """What to type to look again: `sturdis doctor --context test`."""
    apply: str
    """What to type to bring the cluster to the spec."""
    cli: str
    """What to type before a Redis command."""
    now: datetime
    scene: Scene
    node: Manifest | Unseen | None
    """The node that the pod is on; None: it is on none, or that node is not there."""
    is_set_seen: bool = True
    """Whether a StatefulSet that the scene has not is not there; False: it may not be read."""
    declared: Sequence[Manifest] = ()
    """Nodes that were declared off: those with the taint out-of-service."""
    attached: Sequence[Manifest] | Unseen = ()
    """VolumeAttachments of the claim's volume."""
    answers: bool | Unseen = False
    """Whether the pod answers, asked where its node does not report."""
    server: ServerFacts | Unseen = NO_POD
    inside: Inside | Unseen = NO_POD
    live: Live | Unseen = NO_LOOK
    """Two looks at the server, seconds apart."""
    log: str = ""
    """The end of the server's log, of the run that is under way."""
    unseen: Sequence[Unseen] = ()
    """What else may not be looked at."""
