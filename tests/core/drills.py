"""Drills as values: events and surveys for tests, by hand and by hypothesis."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st

from sturdis.core.drill import phases
from sturdis.core.drill.events import (
    Acknowledged,
    Destroyed,
    Done,
    Event,
    FailedOnPurpose,
    InDoubt,
    Intent,
    Killed,
    Phase,
    PowerCut,
    Rejected,
    Served,
    Started,
    State,
    Survey,
    SurveyedJob,
)

Part = TypeVar("Part")

SURVEYED_AT = 1_000_000


@dataclass(frozen=True)
class Drill:
    """What a drill left behind."""

    events: tuple[Event, ...]
    survey: Survey


def drill(*parts: Event | SurveyedJob) -> Drill:
    """Sort what a drill left behind into its events and its survey."""
    left = tuple(part for part in parts if isinstance(part, SurveyedJob))
    told = tuple(part for part in parts if not isinstance(part, SurveyedJob))
    return Drill(told, Survey(SURVEYED_AT, left))


def acknowledged(uuid: str, at: int = 10, job_id: str = "1") -> tuple[Intent, Acknowledged]:
    return Intent(at - 1, uuid, "queue", "plain"), Acknowledged(at, uuid, job_id)


def started(
    uuid: str, at: int = 20, *, job_id: str = "1", starts: int = 1, attempts: int = 0
) -> Started:
    return Started(at, uuid, job_id, "worker", starts, attempts)


def done(uuid: str, at: int = 30, *, job_id: str = "1", starts: int = 1) -> Done:
    return Done(at, uuid, job_id, "worker", starts)


def killed(
    number: int, at: int, *, delayed: int | None = 0, pending: bool | None = False
) -> tuple[Killed, Served]:
    """A kill, and the server that serves 100 ms later."""
    return Killed(at, number, 7, delayed, pending), Served(at + 100, number, 8)


def made(kind: Callable[..., Part], *values: st.SearchStrategy[Any]) -> st.SearchStrategy[Part]:
    """Draw what `kind` makes of the values; `st.builds` looks at its signature for a second."""
    return st.tuples(*values).map(lambda drawn: kind(*drawn))


times = st.integers(0, 2**45)
texts = st.text(max_size=8)
counts = st.integers(0, 5)
uuids = st.sampled_from(["a", "b", "c", "d"])
job_ids = st.sampled_from(["1", "2", "3"])
states = st.sampled_from(State)

job_events: st.SearchStrategy[Event] = st.one_of(
    made(Acknowledged, times, uuids, job_ids),
    made(Rejected, times, uuids, texts),
    made(InDoubt, times, uuids, texts),
    made(Started, times, uuids, job_ids, texts, counts, counts),
    made(FailedOnPurpose, times, uuids, job_ids, texts, counts),
    made(Done, times, uuids, job_ids, texts, counts),
)
any_event: st.SearchStrategy[Event] = st.one_of(
    job_events,
    made(Intent, times, texts, texts, texts, counts, texts),
    made(Killed, times, counts, counts, st.none() | counts, st.none() | st.booleans()),
    made(Served, times, counts, counts),
    made(Phase, times, st.sampled_from(phases.Part), counts, times),
    made(PowerCut, times, counts, st.none() | times, counts, counts, counts),
    made(Destroyed, times, counts, counts, st.lists(texts).map(tuple), st.booleans()),
)
intents = st.tuples(*(made(Intent, times, st.just(uuid), texts, texts) for uuid in "abcd"))
found = made(SurveyedJob, uuids, job_ids, states, texts)
kills = st.lists(times, max_size=3, unique=True).map(
    lambda drawn: [event for number, at in enumerate(drawn) for event in killed(number, at)]
)

drills: st.SearchStrategy[Drill] = made(
    lambda asked, told, faults, left: drill(*asked, *told, *faults, *left),
    intents, st.lists(job_events, max_size=15), kills, st.lists(found, max_size=4),
)  # fmt: skip
"""A whole drill of four jobs that were asked for: anything may have become of each."""
