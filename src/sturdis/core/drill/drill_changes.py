"""What a run differs by from its drill's file, and what is kept of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sturdis.core.drill.outcome import Outcome
from sturdis.core.drill.run import Run
from sturdis.core.drill.scenario import Scenario
from sturdis.core.drill.stored import Choices, Reason, StoredRun


@dataclass(frozen=True)
class Changes:
    """What differs from the drill's file."""

    seed: int
    rounds: int | None = None
    """None: as the file says."""
    modules: str | None = None
    """A folder with the Node BullMQ in its node_modules; None: only Python makes load."""
    load: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the load."""
    scenario: Mapping[str, Any] = field(default_factory=dict)
    """Other fields of the file."""


def run(scenario: Scenario, changes: Changes, folder: str, name: str) -> Run:
    """Give the run of a drill with these changes."""
    load = scenario.load and msgspec.structs.replace(scenario.load, **changes.load)
    return Run(
        msgspec.structs.replace(scenario, load=load, **changes.scenario),
        changes.seed,
        scenario.rounds if changes.rounds is None else changes.rounds,
        folder,
        name,
        changes.modules,
    )


def stored(
    run: Run, outcome: Outcome, *, typed: str, choices: Choices, server: str, began: int, ended: int
) -> StoredRun:
    """Give what is kept of a run; its begin and end are in milliseconds since 1970."""
    load = run.scenario.load
    return StoredRun(
        drill=typed,
        hypothesis=run.scenario.hypothesis,
        fault=str(run.scenario.fault.__struct_config__.tag),
        undo=run.scenario.undo,
        seed=run.seed,
        rounds=run.rounds,
        choices=choices,
        server=server,
        began=began,
        ended=ended,
        reasons=tuple(Reason(verdict, what) for verdict, what in outcome.found),
        figures=outcome.figures,
        longest_fsync=outcome.timing.longest_fsync,
        lock_duration=load.lock_duration if load else 0,
        stalled_interval=load.stalled_interval if load else 0,
    )
