"""What follows for BullMQ's jobs from what is lost, as commands that are listed and appended.

No job may be in two states, none in a state without its hash or without what it has to do, and no
new job may be given the id of an old one. What cannot be decided is reported. docs/adr/0053.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sturdis.core.bullmq.ids import Numbers
from sturdis.core.repair import surveys
from sturdis.core.repair.jobs import LISTS, REMOVED, Job, Told
from sturdis.core.repair.surveys import Queue, Survey
from sturdis.core.repair.units import Words

MARGIN = 1_000_000
"""How far the counter of ids is raised above the highest id seen: what was lost had ids too."""

LATEST = (
    b"completed", b"failed", b"active", b"waiting-children", b"delayed", b"prioritized", b"wait",
    b"paused",
)  # fmt: skip
"""Which of two states counts where no kept unit tells: that which a job reaches later."""


@dataclass(frozen=True)
class Resolution:
    """A command that is appended, and why."""

    db: int
    words: Words
    why: str

    def __str__(self) -> str:
        shown = b" ".join(self.words).decode(errors="backslashreplace")
        return f"SELECT {self.db}; {shown}" if self.db else shown


@dataclass(frozen=True)
class Resolved:
    """What is appended, and what is left to people."""

    commands: tuple[Resolution, ...]
    undecided: tuple[str, ...]


def resolve(
    before: Survey | None, now: Survey, told: Mapping[Job, Told], lost: Mapping[bytes, Numbers]
) -> Resolved:
    """Decide what is appended.

    Args:
        before: What a plain safe cut gives; None: nothing loads.
        now: What all kept units give.
        told: The last that units behind a gap say about each job.
        lost: Beginning of a queue's keys to the highest ids of jobs that lost bytes name.
    """
    commands: list[Resolution] = []
    undecided: list[str] = []
    for queue in now.queues:
        earlier = before.at(queue.db, queue.base) if before else None
        deciding = _Deciding(queue, earlier, told)
        commands.extend(deciding.commands())
        undecided.extend(deciding.undecided)
        named = (lost.get(queue.base, Numbers(0, 0)), Numbers.of(queue.ids))
        commands.append(_raised(queue, max(one.given for one in named)))
        if beyond := max(one.beyond for one in named):
            undecided.append(
                f"{surveys.name(queue.db, queue.base)}: the number {beyond} is named as an id; its "
                f"counter is not raised above it, as from 10^14 on BullMQ gives one id twice"
            )
    return Resolved(tuple(commands), tuple(undecided))


def _raised(queue: Queue, highest: int) -> Resolution:
    wanted = max(queue.counter, highest) + MARGIN
    why = f"new jobs get ids above {wanted}, and above every id that was lost"
    words = (b"INCRBY", queue.base + b":id", b"%d" % (wanted - queue.counter))
    return Resolution(queue.db, words, why)


def _agrees(state: bytes, places: Mapping[bytes, int]) -> bool:
    """Tell whether a job is where it was put; BullMQ 5 renames `wait` when a queue is paused."""
    waiting = {b"wait", b"paused"}
    return state in places or (state in waiting and bool(waiting & places.keys()))


class _Deciding:
    """About one queue."""

    def __init__(self, queue: Queue, earlier: Queue | None, told: Mapping[Job, Told]) -> None:
        self._queue = queue
        self._earlier = earlier
        self._told = told
        self.undecided: list[str] = []

    def commands(self) -> Iterator[Resolution]:
        """Give what is appended for it."""
        for job_id, places in sorted(self._queue.places().items()):
            if not surveys.is_marker(job_id):
                yield from self._placed(job_id, dict(places))
        old = self._earlier.orphans if self._earlier else frozenset()
        for job_id in sorted(self._queue.orphans - old):
            yield from self._orphaned(job_id)

    def _placed(self, job_id: bytes, places: Mapping[bytes, int]) -> Iterator[Resolution]:
        queue = self._queue
        if job_id not in queue.hashes:
            yield from self._taken(job_id, places, None, "its hash is lost")
            return
        if job_id in queue.without_data and (pending := places.keys() & surveys.PENDING):
            gone = {part: places[part] for part in pending}
            yield from self._taken(job_id, gone, None, "what it had to do is lost")
            self.undecided.append(f"{self._shown(job_id)}: what it had to do is lost")
            places = {part: count for part, count in places.items() if part not in pending}
        told = self._told.get(Job(queue.db, queue.base, job_id))
        if told is not None and told.state == REMOVED:
            yield from self._taken(job_id, places, None, "it was removed")
        elif told is not None and places and not _agrees(told.state, places):
            yield from self._moved(job_id, places, told)
        elif len(places) > 1 or sum(places.values()) > 1:
            kept = (
                told.state
                if told and told.state in places
                else next(one for one in LATEST if one in places)
            )
            why = "the last kept unit about it" if told else "the later one in a job's life"
            yield from self._taken(job_id, places, kept, f"it stays in {kept.decode()}: {why}")

    def _moved(
        self, job_id: bytes, places: Mapping[bytes, int], told: Told
    ) -> Iterator[Resolution]:
        """Take a job out of the states where it is, if any, into the one it was told to be in."""
        why = f"the last kept unit about it puts it into {told.state.decode()}"
        yield from self._taken(job_id, places, None, why)
        key = self._queue.base + b":" + told.state
        words = (
            (b"LPUSH", key, job_id) if told.state in LISTS else (b"ZADD", key, told.score, job_id)
        )
        yield Resolution(self._queue.db, words, self._why(job_id, why))

    def _taken(
        self, job_id: bytes, places: Mapping[bytes, int], kept: bytes | None, why: str
    ) -> Iterator[Resolution]:
        """Take a job out of the states where it is, once left in that which is kept."""
        for part in sorted(places):
            key, count = self._queue.base + b":" + part, places[part]
            if part == kept:
                count -= 1
            if count < 1:
                continue
            if part in LISTS:  # the later entries of a list stand at its head
                words: Words = (b"LREM", key, b"%d" % count, job_id)
            else:
                words = (b"ZREM", key, job_id)
            yield Resolution(self._queue.db, words, self._why(job_id, why))

    def _orphaned(self, job_id: bytes) -> Iterator[Resolution]:
        queue = self._queue
        told = self._told.get(Job(queue.db, queue.base, job_id))
        if told is not None and told.state == REMOVED:
            return
        if job_id in queue.without_data:
            self.undecided.append(f"{self._shown(job_id)}: parts of it are left, not its data")
        elif told is not None:
            yield from self._moved(job_id, {}, told)
        elif job_id in queue.started:
            self.undecided.append(f"{self._shown(job_id)}: in no state; it had been started")
        else:
            why = "in no state, and its hash says that it never began: it waits again"
            yield Resolution(
                queue.db, (b"LPUSH", queue.base + b":wait", job_id), self._why(job_id, why)
            )

    def _shown(self, job_id: bytes) -> str:
        return surveys.name(self._queue.db, self._queue.base + b":" + job_id)

    def _why(self, job_id: bytes, why: str) -> str:
        return f"job {self._shown(job_id)}: {why}"
