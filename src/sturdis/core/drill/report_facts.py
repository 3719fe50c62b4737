"""What the report of a run shows: its time line, and every job that was lost or doubled."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sturdis.core.drill import duplicates, history, ledger, losses, verdict
from sturdis.core.drill.events import (
    Acknowledged,
    Done,
    Event,
    InDoubt,
    Phase,
    Rejected,
    Survey,
)
from sturdis.core.drill.ledger import Account, Fate
from sturdis.core.drill.stored import StoredRun
from sturdis.core.drill.verdict import Timing

BUCKET = 100
"""Milliseconds of the time line that are counted together; ten times as many, and so on, where
the line would have more than `MOST_BUCKETS`."""

MOST_BUCKETS = 6_000
"""A run of ten minutes in steps of 100 ms."""

COUNTED: Mapping[type[Event], str] = {
    Acknowledged: "acknowledged",
    Done: "done",
    Rejected: "refused",
    InDoubt: "in_doubt",
}
"""Event to the name of what its times are counted as."""


@dataclass(frozen=True)
class Bucket:
    """What happened within one step of the time line, which begins `at` ms after its zero."""

    at: int
    acknowledged: int = 0
    done: int = 0
    refused: int = 0
    in_doubt: int = 0


@dataclass(frozen=True)
class NotedJob:
    """A job that was lost or doubled; `at` is in milliseconds since 1970."""

    uuid: str
    at: int
    what: str


@dataclass(frozen=True)
class Told:
    """All that is known of a run."""

    run: StoredRun
    folder: str
    step: int
    """Milliseconds that each bucket counts."""
    buckets: tuple[Bucket, ...]
    """From the first phase to the last event of the load, without gaps."""
    phases: tuple[Phase, ...]
    origin: int
    """The zero of the time line, in milliseconds since 1970."""
    account: Account | None
    """None: there was no load, or its jobs were not surveyed."""
    timing: Timing
    lost: tuple[NotedJob, ...]
    doubled: tuple[NotedJob, ...]


def told(run: StoredRun, events: Sequence[Event], survey: Survey | None, folder: str) -> Told:
    """Give all that is known of a run, by its log and its survey."""
    happened = sorted(set(events), key=lambda event: event.at)
    timing = Timing(run.lock_duration, run.stalled_interval, run.longest_fsync)
    account = ledger.account(happened, survey) if survey else None
    phases = tuple(event for event in happened if isinstance(event, Phase))
    origin = min((phase.at for phase in phases), default=run.began)
    span = max(0, _end(happened, phases) - origin)
    step = _step(span)
    return Told(
        run=run,
        folder=folder,
        step=step,
        buckets=_buckets(happened, origin, span, step),
        phases=phases,
        origin=origin,
        account=account,
        timing=timing,
        lost=tuple(_lost(account, timing)) if account else (),
        doubled=tuple(_doubled(happened, survey)) if survey else (),
    )


def _end(happened: Iterable[Event], phases: Iterable[Phase]) -> int:
    counted = (event.at for event in happened if type(event) in COUNTED)
    return max([0, *counted, *(phase.until for phase in phases)])


def _step(span: int) -> int:
    step = BUCKET
    while span // step >= MOST_BUCKETS:
        step *= 10
    return step


def _buckets(happened: Iterable[Event], origin: int, span: int, step: int) -> tuple[Bucket, ...]:
    counts: Counter[tuple[int, str]] = Counter()
    acknowledged: set[str] = set()
    for event in happened:
        name = COUNTED.get(type(event))
        if name is None:
            continue
        if isinstance(event, Acknowledged):
            if event.uuid in acknowledged:
                continue  # the ledger counts a job once
            acknowledged.add(event.uuid)
        counts[max(0, event.at - origin) // step, name] += 1
    names = tuple(COUNTED.values())
    return tuple(
        Bucket(number * step, **{name: counts[number, name] for name in names})
        for number in range(span // step + 1)
    )


def _lost(account: Account, timing: Timing) -> Iterable[NotedJob]:
    for loss in losses.losses(account):
        judged, how = verdict.judge_loss(loss, timing)
        what = f"{judged.value}: LOST {how}"
        yield NotedJob(loss.entry.uuid, loss.entry.acknowledged_at, what)
    for fate in (Fate.ORPHAN, Fate.FAILED, Fate.STALLED, Fate.HELD):
        for entry in account.of(fate):
            what = " ".join(filter(None, (fate.value, entry.detail)))
            yield NotedJob(entry.uuid, entry.acknowledged_at, what)


def _doubled(happened: Iterable[Event], survey: Survey) -> Iterable[NotedJob]:
    for uuid, job in sorted(history.by_job(happened, survey).items()):
        causes = duplicates.causes(job)
        if causes:
            told_of = ", ".join(f"{count} by {cause.value}" for cause, count in causes.items())
            done = f"; done {len(job.done)} times" if len(job.done) > 1 else ""
            yield NotedJob(uuid, job.started[0].at, told_of + done)


def per_second(told: Told) -> list[Bucket]:
    """Count whole seconds together, where the steps are shorter."""
    size = max(1, 1000 // told.step)
    return [
        Bucket(
            some[0].at,
            *(sum(getattr(one, name) for one in some) for name in COUNTED.values()),
        )
        for some in (
            told.buckets[first : first + size] for first in range(0, len(told.buckets), size)
        )
    ]
