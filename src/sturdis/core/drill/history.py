"""The events of a drill, sorted by the job that they tell of."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sturdis.core.drill.events import (
    Acknowledged,
    Done,
    Event,
    FailedOnPurpose,
    InDoubt,
    Intent,
    JobEvent,
    Rejected,
    ServerEvent,
    Started,
    Survey,
    SurveyedJob,
)


@dataclass(frozen=True)
class History:
    """All that is known of one job; events in the order of their times."""

    uuid: str
    intent: Intent | None
    """None: no producer wrote that it would add the job."""
    acknowledged: Acknowledged | None
    """The first acknowledgement; None: there was none."""
    rejected: Rejected | None
    in_doubt: InDoubt | None
    started: tuple[Started, ...]
    failed_on_purpose: tuple[FailedOnPurpose, ...]
    done: tuple[Done, ...]
    surveyed: tuple[SurveyedJob, ...]
    """What Redis holds of it: one, none, or several after a double add."""

    @property
    def there(self) -> bool:
        """Whether the job was added, acknowledged or not: it was seen to run, or is in Redis."""
        return bool(self.started or self.failed_on_purpose or self.done or self.surveyed)

    @property
    def ran(self) -> tuple[Started | FailedOnPurpose | Done, ...]:
        """What workers told of it."""
        return (*self.started, *self.failed_on_purpose, *self.done)

    @property
    def seen_at(self) -> int:
        """When the job was last known to be in Redis (ms since 1970); 0: never."""
        told = (self.acknowledged, *self.started, *self.failed_on_purpose)
        return max((one.at for one in told if one), default=0)

    @property
    def due(self) -> int:
        """When the job may start at the earliest, in milliseconds since 1970; 0: unknown."""
        return self.intent.at + self.intent.delay if self.intent else 0


def by_job(events: Iterable[Event], survey: Survey) -> Mapping[str, History]:
    """Give the history of every job that the events or the survey know, by its UUID."""
    told: defaultdict[str, list[JobEvent]] = defaultdict(list)
    for event in events:
        if not isinstance(event, ServerEvent):
            told[event.uuid].append(event)
    found: defaultdict[str, list[SurveyedJob]] = defaultdict(list)
    for job in survey.jobs:
        found[job.uuid].append(job)
    return {uuid: _history(uuid, told[uuid], found[uuid]) for uuid in {*told, *found}}


def _history(uuid: str, told: list[JobEvent], found: list[SurveyedJob]) -> History:
    told.sort(key=_when)
    return History(
        uuid=uuid,
        intent=next((one for one in told if isinstance(one, Intent)), None),
        acknowledged=next((one for one in told if isinstance(one, Acknowledged)), None),
        rejected=next((one for one in told if isinstance(one, Rejected)), None),
        in_doubt=next((one for one in told if isinstance(one, InDoubt)), None),
        started=tuple(one for one in told if isinstance(one, Started)),
        failed_on_purpose=tuple(one for one in told if isinstance(one, FailedOnPurpose)),
        done=tuple(one for one in told if isinstance(one, Done)),
        surveyed=tuple(sorted(found, key=lambda job: (job.job_id, job.state.value))),
    )


def _when(event: JobEvent) -> tuple[int, int, str]:
    """Order by time; what one millisecond holds by the job's starts, then in any fixed way."""
    starts = event.starts if isinstance(event, Started | FailedOnPurpose | Done) else 0
    return event.at, starts, repr(event)
