"""What was seen of a running Redis: values that checks judge, gathered by adapters.

A fact that could not be seen is `Unseen` with the reason, never a guess: the check on it answers
unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sturdis.core.cluster_facts import ClusterFacts


@dataclass(frozen=True)
class Unseen:
    """A fact that could not be had, and why, in a few words."""

    reason: str


NOT_TRIED = Unseen("not tried: --read-only")
"""What can be seen only by writing, where nothing may be written."""


@dataclass(frozen=True)
class NotVisible:
    """A fact that this place cannot show, however one asks: docs/adr/0027."""

    reason: str


@dataclass(frozen=True)
class Pinged:
    """What the server answered to PING, and after how many milliseconds."""

    text: str
    milliseconds: float


@dataclass(frozen=True)
class Refused:
    """An attempt that the server, or what stands before it, turned down: its own words."""

    reason: str


@dataclass(frozen=True)
class RoundTrip:
    """A key that was written, read back and deleted."""

    key: str
    written: str
    read: str | None
    deleted: int


@dataclass(frozen=True)
class JobRun:
    """A BullMQ job that was added to a queue of its own and worked on."""

    queue: str
    job_id: str
    state: str
    """BullMQ's name of the state the job ended in: completed, failed, …"""
    sent: str
    returned: str
    milliseconds: float


@dataclass(frozen=True)
class NoScrape:
    """A metrics endpoint that gave no metrics: its address, and why."""

    url: str
    reason: str


@dataclass(frozen=True)
class Scrape:
    """What the metrics endpoint gave: its address, and each sample without labels by its name."""

    url: str
    samples: Mapping[str, float]


@dataclass(frozen=True)
class Machine:
    """The machine that the server runs on. Bytes, unless said otherwise."""

    memory_limit: int | Unseen
    """What the server's process may use: the machine's memory, or less where a cgroup says so."""
    limited_by: str
    """Who sets that limit."""
    available: int | Unseen
    """What new processes may take without swapping, and the free swap: a fork's room."""
    commit_room: int | Unseen
    """What is left below the kernel's commit limit, which counts where overcommit is 2."""
    overcommit: str | Unseen
    """vm.overcommit_memory: 0, 1 or 2."""
    huge_pages: str | Unseen | NotVisible
    """Transparent huge pages: always, madvise or never."""
    disk_free: int | Unseen
    """Room for the server on the disk that holds its data."""


@dataclass(frozen=True)
class KeySample:
    """Some keys of the database, taken at random, and what became of them."""

    looked_at: int
    total: int
    """Keys in the database."""
    stray: int
    """How many of those looked at belong to no BullMQ queue and never expire."""
    stray_bytes: int
    """Bytes of those, estimated for all of them from the ones that were measured."""
    examples: Sequence[str]


@dataclass(frozen=True)
class QueueKeys:
    """What one BullMQ queue keeps beside its waiting jobs."""

    name: str
    """Prefix and queue, as its keys begin: `bull:mails`."""
    completed: int
    failed: int
    events: int
    """Entries of its events stream."""
    events_bytes: int
    events_wanted: int
    """Entries that BullMQ trims the stream to, about."""
    older: Sequence[str]
    """What older versions of BullMQ left, in words."""


@dataclass(frozen=True)
class Features:
    """What BullMQ needs of a server and was not there: feature by feature, with the reply."""

    missing: Mapping[str, str]
    tried: int


@dataclass(frozen=True)
class Restarted:
    """A server that was restarted with a marker in it."""

    marker: str
    written: str
    read: str | None
    downtime_milliseconds: float
    """From the last answer before to the first PONG of the new process."""


@dataclass(frozen=True)
class ServerFacts:
    """One look at a running server.

    `config` holds `CONFIG GET` values by name, as the server spells them.
    """

    address: str
    """Where it was seen, without the password."""
    cli: str
    """What to type before a Redis command to reach it again: `sturdis cli`, with options."""
    ping: Pinged | Unseen
    config: Mapping[str, str] | Unseen
    info: Mapping[str, str] | Unseen
    """The fields of `INFO`."""
    guarded: bool
    """Whether a torn end of the append-only file is cut before each start of this server."""
    machine: Machine | NotVisible | Unseen
    password_required: bool | Unseen
    round_trip: RoundTrip | Refused | Unseen
    scrape: Scrape | NoScrape | Unseen
    job: JobRun | Refused | Unseen
    features: Features | Unseen
    sample: KeySample | Unseen
    queues: Sequence[QueueKeys] | Unseen
    restarted: Restarted | Refused | NotVisible | Unseen | None = None
    """None: nobody asked for a restart."""
    cluster: "ClusterFacts | None" = None
    """None: it was not looked at through a cluster."""
