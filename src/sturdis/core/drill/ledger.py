"""The ledger: what became of every job that was asked for, by the drill's events and a survey.

Each acknowledged job has exactly one `Fate`, so what is lost is a number, and the jobs have names.
Events are counted as a set: a log read twice, or in another order, changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sturdis.core.drill import duplicates, history
from sturdis.core.drill.duplicates import Cause
from sturdis.core.drill.events import (
    Destroyed,
    Event,
    Killed,
    PowerCut,
    Served,
    State,
    Survey,
    SurveyedJob,
)
from sturdis.core.drill.history import History


class Fate(Enum):
    """What became of an acknowledged job."""

    PROCESSED = "processed"
    """A processor wrote that it did the work."""
    UNTOLD = "completed, untold"
    """Redis calls it completed and no processor wrote so: the log has a gap."""
    PENDING = "pending"
    """It is in Redis and will be given to a worker."""
    HELD = "held by a failed child"
    """It waits for a child that BullMQ put into `failed`, and is in Redis."""
    STALLED = "failed as stalled"
    """BullMQ gave it up: its workers lost it more often than `maxStalledCount`."""
    FAILED = "failed"
    """It failed for another reason, and is in Redis."""
    ORPHAN = "orphan hash"
    """Its hash is in Redis but in no list or set: no worker will ever be given it."""
    LOST = "LOST"
    """Nothing of it is in Redis, and no processor did it."""


BEST_FIRST = (
    Fate.UNTOLD, Fate.PENDING, Fate.HELD, Fate.STALLED, Fate.FAILED, Fate.ORPHAN,
)  # fmt: skip
"""Which fate counts when Redis holds a job twice. A gap in the log is told before all else."""

ROUNDING = 1
"""Milliseconds: clients round a time to whole ones, up or down."""

STALLED_REASON = "job stalled more than allowable limit"
"""The reason that BullMQ gives a job it gives up; measured on Node 6.7.0 and Python 3.4.4."""


@dataclass(frozen=True)
class Entry:
    """One acknowledged job: when it was acknowledged (ms since 1970), and what became of it."""

    uuid: str
    acknowledged_at: int
    fate: Fate
    seen_at: int
    """When it was last known to be there: acknowledged, started, or failed on purpose."""
    detail: str = ""
    """The state of a pending job, the reason of a failed one."""
    asked_at: int = 0
    """When its producer wrote that it would add it; 0: it did not."""
    taken_for: str = ""
    """The job of before a kill that had its id, where a worker was seen to go on with that one."""


@dataclass(frozen=True)
class Unpromised:
    """Jobs asked for and not acknowledged, and how many of them were added all the same.

    A refused job may be there: a client that lost the reply sends the add again, and the refusal
    was the answer to that.
    """

    in_doubt: int
    in_doubt_there: int
    rejected: int
    rejected_there: int


@dataclass(frozen=True)
class Account:
    """Every job of a drill, accounted for."""

    asked: int
    """Jobs that producers wrote they would add."""
    entries: tuple[Entry, ...]
    """One for each acknowledged job, in the order of the acknowledgements."""
    unpromised: Unpromised
    duplicates: Mapping[Cause, int]
    """Starts that a run without faults would not have had, by cause."""
    done_twice: int
    """Jobs whose work was done more than once."""
    parents_early: tuple[str, ...]
    """Parents started before each of their children was done."""
    delayed_early: tuple[str, ...]
    """Delayed jobs started before they were due."""
    strangers: tuple[str, ...]
    """Jobs that no producer wrote it would add: the log has a gap."""
    faults: tuple[Killed, ...]
    """In the order of their times."""
    served: Mapping[int, int]
    """Round to when the server was seen to serve again (ms since 1970)."""
    destroyed: tuple[Destroyed, ...]
    """In the order of their times."""
    power_cuts: Mapping[int, PowerCut]
    """By round: those kills that were power cuts."""
    last_due: int
    """When the last job was due (ms since 1970); 0 without jobs."""

    @property
    def fates(self) -> Mapping[Fate, int]:
        """How many acknowledged jobs had each fate."""
        return Counter(entry.fate for entry in self.entries)

    def of(self, fate: Fate) -> tuple[Entry, ...]:
        """Give the acknowledged jobs with this fate."""
        return tuple(entry for entry in self.entries if entry.fate is fate)


def account(events: Iterable[Event], survey: Survey) -> Account:
    """Account for every job that the events or the survey know."""
    told = frozenset(events)
    known = history.by_job(told, survey)
    jobs = [known[uuid] for uuid in sorted(known)]
    faults = sorted(
        (event for event in told if isinstance(event, Killed)),
        key=lambda fault: (fault.at, fault.round),
    )
    kills = [fault.at for fault in faults]
    served = (event for event in told if isinstance(event, Served))
    gone = (event for event in told if isinstance(event, Destroyed))
    cuts = (event for event in told if isinstance(event, PowerCut))
    return Account(
        asked=sum(job.intent is not None for job in jobs),
        entries=tuple(
            sorted(_entries(jobs, kills), key=lambda one: (one.acknowledged_at, one.uuid))
        ),
        unpromised=_unpromised(jobs),
        duplicates=sum(map(duplicates.causes, jobs), Counter[Cause]()),
        done_twice=sum(len(job.done) > 1 for job in jobs),
        parents_early=tuple(_parents_early(known)),
        delayed_early=tuple(job.uuid for job in jobs if _started_before_due(job)),
        strangers=tuple(job.uuid for job in jobs if job.intent is None),
        faults=tuple(faults),
        served={event.round: event.at for event in sorted(served, key=lambda one: one.at)},
        destroyed=tuple(sorted(gone, key=lambda one: one.at)),
        power_cuts={event.round: event for event in sorted(cuts, key=lambda one: one.at)},
        last_due=max((job.due for job in jobs), default=0),
    )


def _entries(jobs: Sequence[History], kills: Sequence[int]) -> Iterator[Entry]:
    holding = {
        child.intent.parent
        for child in jobs
        if child.intent and any(copy.state is State.FAILED for copy in child.surveyed)
    }
    mistaken = _mistaken(jobs, kills)
    for job in jobs:
        if job.acknowledged:
            fate, detail = _fate(job)
            if detail == State.WAITING_CHILDREN.value and job.uuid in holding:
                fate = Fate.HELD
            yield Entry(
                job.uuid, job.acknowledged.at, fate, job.seen_at, detail,
                job.intent.at if job.intent else 0, mistaken.get(job.uuid, ""),
            )  # fmt: skip


def _mistaken(jobs: Sequence[History], kills: Sequence[int]) -> dict[str, str]:
    """Find the jobs that a worker took for one of before a kill, which had the same id.

    The evidence is that it went on with that one: it started it or did it after the kill.
    """
    ran: defaultdict[tuple[str, str], list[History]] = defaultdict(list)
    for job in jobs:
        for job_id in {one.job_id for one in job.ran}:
            ran[_queue(job), job_id].append(job)
    found = {}
    for job in jobs:
        if job.acknowledged:
            at, job_id = job.acknowledged.at, job.acknowledged.job_id
            before = [kill for kill in kills if kill <= at]
            others = ran[_queue(job), job_id] if before else []
            taken = (one for one in others if _went_on(one, job_id, before[-1]) and one != job)
            found[job.uuid] = next((one.uuid for one in taken), "")
    return found


def _went_on(job: History, job_id: str, killed_at: int) -> bool:
    """Tell whether the job is of before the kill, and was worked on by this id after it."""
    older = job.intent is not None and job.intent.at < killed_at
    return older and any(one.job_id == job_id and one.at >= killed_at for one in job.ran)


def _queue(job: History) -> str:
    return job.intent.queue if job.intent else ""


def _fate(job: History) -> tuple[Fate, str]:
    if job.done:
        return Fate.PROCESSED, ""
    copies = [_fate_of_copy(copy) for copy in job.surveyed]
    if not copies:
        return Fate.LOST, ""
    return min(copies, key=lambda one: BEST_FIRST.index(one[0]))


def _fate_of_copy(copy: SurveyedJob) -> tuple[Fate, str]:
    match copy.state:
        case State.COMPLETED:
            return Fate.UNTOLD, ""
        case State.ORPHAN:
            return Fate.ORPHAN, ""
        case State.FAILED if copy.failed_reason.startswith(STALLED_REASON):
            return Fate.STALLED, copy.failed_reason
        case State.FAILED:
            return Fate.FAILED, copy.failed_reason
    return Fate.PENDING, copy.state.value


def _unpromised(jobs: Iterable[History]) -> Unpromised:
    """Sort what was not acknowledged: without an answer at all it is in doubt."""
    there = Counter[tuple[bool, bool]]()
    for job in jobs:
        if job.intent and not job.acknowledged:
            there[job.rejected is not None and job.in_doubt is None, job.there] += 1
    return Unpromised(
        in_doubt=there[False, True] + there[False, False],
        in_doubt_there=there[False, True],
        rejected=there[True, True] + there[True, False],
        rejected_there=there[True, True],
    )


def _parents_early(jobs: Mapping[str, History]) -> list[str]:
    early = set()
    for child in jobs.values():
        parent = jobs.get(child.intent.parent) if child.intent else None
        if parent and parent.started:
            done = child.done[0].at if child.done else None
            if done is None or parent.started[0].at < done:
                early.add(parent.uuid)
    return sorted(early)


def _started_before_due(job: History) -> bool:
    if not (job.intent and job.intent.delay and job.started):
        return False
    return job.started[0].at < job.due - ROUNDING
