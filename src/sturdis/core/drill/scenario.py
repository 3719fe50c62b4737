"""A drill as its file tells it: hypothesis, steady state, fault, observation, undo, verdict.

The files are in `sturdis/drills/`; `sturdis drill run` takes the path of a user's own, too.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated

import msgspec

from sturdis.core.drill.abilities import Ability
from sturdis.core.drill.faults import Fault
from sturdis.core.drill.faults.options import Milliseconds, Seconds
from sturdis.core.drill.load import Kind
from sturdis.core.drill.observed import Expectation

Rate = Annotated[float, msgspec.Meta(ge=0, le=10_000)]
Some = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Least = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Rest = Annotated[float, msgspec.Meta(le=3600)]

MOST_ROUNDS = 10_000
"""Beyond it a slip is more likely than patience: rounds take seconds."""


class Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Producers and workers that go on during the whole drill: fields of each `LoadPlan`."""

    rate: Rate = 50.0
    """Adds a second, shared among the loads."""
    mix: Annotated[tuple[Kind, ...], msgspec.Meta(min_length=1)] = tuple(Kind)
    workers: Some = 1
    """Workers for each queue and load."""
    jobs_at_once: Some = 10
    """BullMQ's `concurrency`: jobs that one worker has at one time."""
    work: Milliseconds = 5
    """How long the work of a job takes, in milliseconds."""
    filling: Annotated[int, msgspec.Meta(ge=0, le=1 << 20)] = 0
    """Bytes that each job carries beside its own few."""
    longest_delay: Milliseconds = 500
    """Delayed jobs wait up to this, in milliseconds."""
    lock_duration: Annotated[int, msgspec.Meta(ge=100, le=600_000)] = 1000
    """Milliseconds; BullMQ's 30,000 would make each verdict wait for 90 s."""
    stalled_interval: Annotated[int, msgspec.Meta(ge=100, le=600_000)] = 500
    """Milliseconds; BullMQ's: 30,000."""
    most_stalls: Least = 100
    """How often a job's worker may lose it; BullMQ's: 1. Locks are 30 times shorter than BullMQ's
    and faults come each second, so that a job may meet several of them."""


class Steady(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must be seen before the first fault: without it the drill is unknown."""

    acknowledged: Least = 10
    processed: Least = 5
    within: Seconds = 30.0
    """Seconds."""
    again: Some = 1
    """Adds that must be acknowledged after each fault is undone."""


class Loss(Enum):
    """Which acknowledged jobs may be lost, and only by evidence in the drill's log."""

    NONE = "none"
    WINDOW = "window"
    """What the stated window excuses: 2 s, or the longest fsync plus 1 s."""
    DAMAGE = "damage"
    """What only the destroyed bytes held, too."""
    ALL = "all"
    """The fault takes everything, and each lost job is named."""


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes the drill pass."""

    lost: Loss = Loss.NONE
    """The ledger's other verdicts (orphans, order) hold always."""
    figures: Mapping[str, Expectation] = {}
    """What the fault saw beside the ledger; docs/drills.md names the figures of each kind."""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One drill."""

    name: str
    """A word or words with hyphens: what is typed."""
    hypothesis: str
    """What is believed to be true, in a sentence; the drill tries to break it."""
    fault: Fault
    undo: str
    """How it is mended again, in a sentence; the fault does it."""
    needs: tuple[Ability, ...]
    expect: Expected = Expected()
    load: Load | None = Load()
    """None: the fault brings writes of its own, and the ledger stays empty."""
    steady: Steady = Steady()
    rounds: int = 3
    under_load: tuple[Rest, Rest] = (0.3, 1.5)
    """Shortest and longest time under load before each fault, in seconds; the seed decides."""
    observe: Rest = 0.0
    """How long the fault is watched before it is undone, in seconds."""
    serves_again_within: Seconds = 60.0
    """Longest wait for the target after a fault is undone, in seconds."""
