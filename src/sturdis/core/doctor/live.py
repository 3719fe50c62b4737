"""Two looks at a running server, seconds apart: what moves between them, and what does not."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sturdis.core import info as infos
from sturdis.core.bullmq.search import Queue
from sturdis.core.facts import Unseen


@dataclass(frozen=True)
class Client:
    """A connection, by a line of CLIENT LIST."""

    address: str
    """HOST:PORT; a socket's path and :0."""
    name: str
    idle: int
    """Seconds since its last command."""
    command: str
    """The last one, in small letters; where it blocks, the one that it blocks in."""
    flags: str
    library: str
    """Name of its client library; empty where it did not say."""
    pending: int
    """Bytes of replies that it has not read yet."""

    @property
    def blocks(self) -> bool:
        """Whether it waits in a blocking command."""
        return "b" in self.flags

    @property
    def host(self) -> str:
        """Where it comes from, without the port."""
        return self.address.rpartition(":")[0]


@dataclass(frozen=True)
class QueueLook:
    """A queue as it was in one look. Ids are of those jobs that were looked at, never of all."""

    queue: Queue
    counts: Mapping[str, int]
    """Jobs by the names of `states.STATES`."""
    is_paused: bool = False
    is_limited: bool = False
    """Whether a rate limit is under way."""
    due: int = 0
    """Delayed jobs that are overdue by more than `OVERDUE_SECONDS`."""
    next_jobs: tuple[str, ...] = ()
    """Ids of the jobs that are next in line, of those without and those with a priority."""
    counter: int = 0
    """The last id that was given out."""
    highest: int = 0
    """The highest id that was seen among its jobs."""
    active: frozenset[str] = frozenset()
    unlocked: frozenset[str] = frozenset()
    """Of those, the ones that no worker holds a lock of."""
    missing: frozenset[str] = frozenset()
    """Ids in a list that no job's hash is there of."""
    twice: frozenset[str] = frozenset()
    """Ids that are in the lists more than once."""
    legacy: tuple[str, ...] = ()
    """Repeatable jobs as BullMQ before 6 kept them."""

    @property
    def waiting(self) -> int:
        """How many jobs a worker could take now."""
        return self.counts.get("waiting", 0) + self.counts.get("prioritized", 0) + self.due

    def is_worker(self, client: Client) -> bool:
        """Tell whether a connection is that of a worker of this queue, by its name.

        BullMQ in Node puts the queue's name into it as base64, in Python (3.4) as it is.
        """
        encoded = base64.b64encode(self.queue.name.encode()).decode()
        names = [f"{self.queue.prefix}:{name}" for name in (encoded, self.queue.name)]
        return client.name in names or client.name.startswith(tuple(f"{one}:w:" for one in names))


OVERDUE_SECONDS = 5
"""How long a delayed job may be due before it counts: a worker that waits takes it at once."""


@dataclass(frozen=True)
class QueueLooks:
    """A queue in both looks."""

    before: QueueLook
    after: QueueLook
    orphans: frozenset[str] = frozenset()
    """Ids of job hashes that were in no state in both looks."""
    judged: int = 0
    """How many job hashes were looked at for that."""

    @property
    def name(self) -> str:
        """Prefix and queue, as its keys begin."""
        return self.after.queue.base

    @property
    def moves(self) -> bool:
        """Whether any job of it was taken, or is being worked on."""
        worked_on = (
            self.before.active - self.before.unlocked,
            self.after.active - self.after.unlocked,
        )
        finished = [
            [look.counts.get(state, 0) for state in ("completed", "failed")]
            for look in (self.before, self.after)
        ]
        return (
            any(worked_on)
            or self.before.next_jobs != self.after.next_jobs
            or finished[0] != finished[1]
        )


@dataclass(frozen=True)
class Held:
    """What part of the data takes how much memory. Bytes; estimated where `error` is not 0."""

    what: str
    """`completed of bull:mails`."""
    queue: Queue | None
    """None: keys that belong to no queue."""
    kind: str
    """A state's name, `events`, or `keys`."""
    count: int
    size: int
    error: int = 0
    """Half the width of the 95 % interval."""
    children: int = 0
    """Jobs of a flow among those looked at."""


@dataclass(frozen=True)
class Latency:
    """What LATENCY LATEST tells of one event."""

    age: int
    """Seconds since it was last too long."""
    last: int
    longest: int
    """Milliseconds."""


@dataclass(frozen=True)
class Glance:
    """What the append-only file and its disk were at, at one time."""

    at: float
    """Seconds, of the clock that all glances of a look go by."""
    turns: int | None
    """How often the thread that does the fsyncs waited for work so far, counted just before the
    rest; None: it is not to be seen."""
    size: int
    """Bytes of the file."""
    is_syncing: bool
    """Whether an fsync is under way."""


@dataclass(frozen=True)
class Live:
    """What two looks showed."""

    seconds: float
    """Between them."""
    before: Mapping[str, str]
    after: Mapping[str, str]
    """The fields of INFO."""
    glances: Sequence[Glance] = ()
    latencies: Mapping[str, Latency] = field(default_factory=dict)
    clients: Sequence[Client] | Unseen = ()
    queues: Sequence[QueueLooks] | Unseen = ()
    held: Sequence[Held] | Unseen = ()
    partly: str = ""
    """What was not looked at, for want of time, in words; empty: nothing was left out."""

    @property
    def fsyncs(self) -> int:
        """In how many glances an fsync was under way."""
        return sum(one.is_syncing for one in self.glances)

    def risen(self, name: str) -> int:
        """Give by how much a counter of INFO rose; 0 where it is not a number, or was set back."""
        before, after = self.before.get(name, "0"), self.after.get(name, "0")
        if before.isdecimal() and after.isdecimal():
            return max(0, int(after) - int(before))
        return 0

    def number(self, name: str) -> int:
        """Give a field of the second INFO; 0 where it has no such number."""
        return infos.number(self.after, name)
