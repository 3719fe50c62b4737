"""BullMQ's queues as a server holds them: which jobs are in which state."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sturdis.core.bullmq.ids import Numbers

ORPHAN = "orphaned"
"""In the place of a state: a job's hash is there, and no state holds the job."""


PENDING = frozenset(
    (b"active", b"delayed", b"paused", b"prioritized", b"wait", b"waiting-children")
)
"""States of jobs that a worker is still to be given, or to finish."""


@dataclass(frozen=True)
class Queue:
    """One queue. Ids are bytes, as a server gives them."""

    db: int
    base: bytes
    """How its keys begin: `bull:mails`."""
    states: Mapping[bytes, tuple[bytes, ...]]
    """Part of the key, such as `wait`, to the ids in it, in order."""
    hashes: frozenset[bytes]
    """Ids whose hash is there."""
    without_data: frozenset[bytes]
    """Ids whose hash lacks what the job was given to do."""
    started: frozenset[bytes]
    """Orphans that a worker had, or that wait for something else: their hash says so."""
    counter: int
    """What `id` holds."""

    @property
    def ids(self) -> frozenset[bytes]:
        """Every id that is in a state or has a hash."""
        return self.hashes.union(*self.states.values())

    @property
    def orphans(self) -> frozenset[bytes]:
        """Ids with a hash that are in no state."""
        return self.hashes.difference(*self.states.values())

    @property
    def highest(self) -> int:
        """The highest id that BullMQ gave a job."""
        return Numbers.of(self.ids).given

    @property
    def is_sound(self) -> bool:
        """Whether it has its counter, and every job its data."""
        placed = frozenset().union(*self.states.values())
        return self.counter >= self.highest and not placed & self.without_data

    def places(self) -> Mapping[bytes, Counter[bytes]]:
        """Give each id that is in a state, with how often it is in which."""
        found: dict[bytes, Counter[bytes]] = {}
        for part, ids in self.states.items():
            for one in ids:
                found.setdefault(one, Counter())[part] += 1
        return found

    def counts(self) -> dict[str, int]:
        """Count the jobs by state, those that are empty left out."""
        counted = {part.decode(): len(ids) for part, ids in self.states.items() if ids}
        return counted | ({ORPHAN: len(self.orphans)} if self.orphans else {})


@dataclass(frozen=True)
class Survey:
    """All queues, and how many keys there are in each database."""

    queues: tuple[Queue, ...]
    keys: Mapping[int, int]

    def counts(self) -> dict[str, dict[str, int]]:
        """Count jobs by queue and state; a queue outside database 0 is named with it."""
        return {name(one.db, one.base): one.counts() for one in self.queues}

    def differs(self, other: "Survey") -> bool:
        """Tell whether a job is elsewhere, or a counter was too low here."""
        here, there = (
            [(one.db, one.base, one.states, one.hashes) for one in survey.queues]
            for survey in (self, other)
        )
        return here != there or any(one.counter < one.highest for one in self.queues)

    def at(self, db: int, base: bytes) -> Queue | None:
        """Give one queue."""
        return next((one for one in self.queues if (one.db, one.base) == (db, base)), None)

    def doubled(self) -> Iterator[str]:
        """Name each job that is in two states, or twice in one."""
        for queue in self.queues:
            for job_id, places in queue.places().items():
                if places.total() > 1 and not is_marker(job_id):
                    states = ", ".join(sorted(part.decode() for part in places.elements()))
                    yield f"{name(queue.db, queue.base + b':' + job_id)} ({states})"

    def signs(self) -> Iterator[str]:
        """Say what BullMQ never leaves: units are lost or stand there twice, and no byte shows."""
        for one in self.doubled():
            yield f"in two states: {one}"
        for queue in self.queues:
            placed = {one for one in queue.places() if not is_marker(one)}
            for job_id in sorted(placed - queue.hashes):
                yield f"in a state, without its hash: {name(queue.db, queue.base + b':' + job_id)}"
            for job_id in sorted(placed & queue.without_data):
                yield f"in a state, without its data: {name(queue.db, queue.base + b':' + job_id)}"
            if queue.counter < queue.highest:
                yield f"an id above the counter: {name(queue.db, queue.base)} has {queue.highest}"
        for (db, base), home in self.strays().items():
            yield f"in a database where it does not belong: {name(db, base)}; it is in {home}"

    def strays(self) -> dict[tuple[int, bytes], int]:
        """Give each queue that is in two databases, and only in one as BullMQ leaves it.

        A SELECT among missing units lets those behind it act in another database. There the
        counter is below the ids, and what jobs have to do is not there.

        Returns:
            Database and beginning of its keys to the database where it belongs.
        """
        found: dict[tuple[int, bytes], int] = {}
        for base in {one.base for one in self.queues}:
            own = [one for one in self.queues if one.base == base]
            sound = [one for one in own if one.is_sound]
            if len(sound) == 1:
                found |= {(one.db, base): sound[0].db for one in own if one is not sound[0]}
        return found


def name(db: int, key: bytes) -> str:
    """Name a key to people, with its database where that is not the first."""
    text = key.decode(errors="backslashreplace")
    return f"{text} (database {db})" if db else text


def is_marker(job_id: bytes) -> bool:
    """Tell whether an id is none: BullMQ 4 and 5 kept `0:…` in `wait` to wake workers."""
    return job_id.startswith(b"0:")
