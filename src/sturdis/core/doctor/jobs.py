"""Jobs that are out of place: stalled, orphaned, missing, twice, or about to be overwritten."""

from collections.abc import Iterable, Iterator, Sequence

from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.live import Live, QueueLooks

SPARE_IDS = 1_000_000
"""Ids that a counter is raised by beyond the highest that was seen: not all jobs were looked at."""

SHOWN = 5
"""Ids that are named."""


def diagnose(live: Live, cli: str) -> Iterator[Diagnosis]:
    """Tell of jobs that were out of place in both looks."""
    for queue in live.queues if isinstance(live.queues, Sequence) else ():
        yield from _counter(queue, cli)
        yield from _missing(queue, cli)
        yield from _twice(queue, cli)
        yield from _stalled(queue, live, cli)
        yield from _orphaned(queue, cli)
        yield from _legacy(queue)


def _counter(queue: QueueLooks, cli: str) -> Iterator[Diagnosis]:
    highest = max(queue.before.highest, queue.after.highest)
    behind = highest - queue.after.counter
    if behind <= 0:
        return
    yield Diagnosis(
        "ids.behind",
        Severity.CRITICAL,
        "new jobs will overwrite old ones",
        f"{queue.name}: its counter of ids is at {queue.after.counter}, a job has the id {highest}",
        "A counter that was set back, by a restore or a power cut, gives out ids that are taken: "
        "the next job with such an id replaces the data of the old one.",
        f"{cli} incrby {queue.name}:id {behind + SPARE_IDS}",
    )


def _missing(queue: QueueLooks, cli: str) -> Iterator[Diagnosis]:
    if not (ids := queue.before.missing & queue.after.missing):
        return
    one = min(ids)
    yield Diagnosis(
        "jobs.missing",
        Severity.SERIOUS,
        "lists name jobs that are not there",
        f"{queue.name}: {len(ids)} ids without a job's hash: {_some(ids)}",
        "A job's data was deleted or evicted and its place was not: a worker that takes it fails.",
        f"{cli} lrem {queue.name}:wait 0 {one}, or of :active, for each",
    )


def _twice(queue: QueueLooks, cli: str) -> Iterator[Diagnosis]:
    if not (ids := queue.before.twice & queue.after.twice):
        return
    yield Diagnosis(
        "jobs.twice",
        Severity.SERIOUS,
        "jobs are in the lists twice",
        f"{queue.name}: {len(ids)} ids more than once in wait and active: {_some(ids)}",
        "An id was given out a second time after its counter was set back: one job's data was "
        "replaced, the other is done twice.",
        f"{cli} lrem {queue.name}:wait 1 {min(ids)}    takes one away; see ids.behind",
    )


def _stalled(queue: QueueLooks, live: Live, cli: str) -> Iterator[Diagnosis]:
    if not (ids := queue.before.unlocked & queue.after.unlocked):
        return
    clients = live.clients if isinstance(live.clients, Sequence) else ()
    watched = any(queue.after.is_worker(one) for one in clients)
    yield Diagnosis(
        "jobs.stalled",
        Severity.MINOR if watched else Severity.CRITICAL,
        "jobs are marked as worked on, and nobody does",
        f"{queue.name}: {len(ids)} of {len(queue.after.active)} active jobs have no lock: "
        f"{_some(ids)}",
        "Their worker ended or lost its connection. A worker of the queue finds them within two "
        "checks (30 s each) and does them again; one that stalls twice fails for good.",
        f"wait a minute; then {cli} lrange {queue.name}:active 0 -1"
        if watched
        else "start a worker of this queue: nobody else finds them",
    )


def _orphaned(queue: QueueLooks, cli: str) -> Iterator[Diagnosis]:
    if not queue.orphans:
        return
    yield Diagnosis(
        "jobs.orphaned",
        Severity.SERIOUS,
        "jobs are in no state",
        f"{queue.name}: {len(queue.orphans)} of {queue.judged} jobs looked at: "
        f"{_some(queue.orphans)}",
        "Their data is there and no list names them: nobody does them, and an orphan keeps its "
        "jobId from being added again.",
        f"{cli} hgetall {queue.name}:{min(queue.orphans)}    shows one; add what is still to be "
        "done anew, under another jobId. removeOrphanedJobs of BullMQ 6.7.0 takes metrics:failed "
        "for an orphan too",
    )


def _legacy(queue: QueueLooks) -> Iterator[Diagnosis]:
    if not queue.after.legacy:
        return
    yield Diagnosis(
        "repeat.legacy",
        Severity.MINOR,
        "repeatable jobs are of an older BullMQ",
        f"{queue.name}: {len(queue.after.legacy)}: {', '.join(queue.after.legacy[:2])}",
        "BullMQ 6 refuses them (Legacy repeatable job metadata is not supported).",
        "with BullMQ 5, before 6 takes over: queue.upsertJobScheduler for each, then "
        "queue.removeRepeatableByKey",
    )


def _some(ids: Iterable[str]) -> str:
    found = sorted(ids)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more
