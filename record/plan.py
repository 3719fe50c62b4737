"""What goes on record: which drills, how many rounds in how many batches, on which servers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests import matrix
from tests.matrix import Row

from sturdis.core.drill.scenario import Scenario


@dataclass(frozen=True)
class Wanted:
    """One batch to be run; its seed decides every round of it."""

    drill: str
    row: Row
    seed: int
    rounds: int
    configuration: str = "deployment"
    hurried: bool = False
    """Whether faults come after 0.2 to 1.3 s under the load of RATES, so that a thousand
    take an hour and every phase of the 1 s between two fsyncs is met."""


@dataclass(frozen=True)
class Many:
    """So many rounds of a drill in batches of one verdict each, their seeds from 1 on."""

    drill: str
    rounds: int
    batches: int


RECORD = (Many("kill-9", 50, 20), Many("power-cut", 30, 10))
"""1,000 kills and 300 power cuts for each server."""

UNDER_LOAD = (0.2, 1.3)
"""Seconds, shortest and longest."""

RATES = {"kill-9": 10.0, "power-cut": 20.0}
"""Adds a second: a cut that meets no job proves nothing."""

COMPARED = (
    Many("kill-9", 10, 1), Many("power-cut", 10, 1), Many("torn-multi", 1, 1),
    Many("failed-fsync", 3, 1), Many("disk-full", 3, 1), Many("memory-kernel", 1, 1),
    Many("volume-lost", 1, 1),
)  # fmt: skip
"""Drills that are run on each configuration."""

COMPARED_ON = "redis-8.0"
"""One server for all of them: what differs is the configuration alone."""


def record(drills: Sequence[str], rows: Sequence[Row]) -> Iterator[Wanted]:
    """Give the batches of the record, drills and servers taking turns: it grows evenly."""
    every = [
        (seed / many.batches, many, seed)
        for many in RECORD
        if not drills or many.drill in drills
        for seed in range(1, many.batches + 1)
    ]
    for _share, many, seed in sorted(every, key=lambda one: one[0]):
        for row in rows:
            yield Wanted(many.drill, row, seed, many.rounds, hurried=True)


def comparison(drills: Sequence[str], configurations: Sequence[str]) -> Iterator[Wanted]:
    """Give the batches of the comparison."""
    (row,) = (one for one in matrix.ROWS if str(one) == COMPARED_ON)
    for many in COMPARED:
        if drills and many.drill not in drills:
            continue
        for configuration in configurations:
            yield Wanted(many.drill, row, 1, many.rounds, configuration)


def others(
    drills: Sequence[str], rows: Sequence[Row], scenarios: Iterable[Scenario]
) -> Iterator[Wanted]:
    """Give one batch of each other drill, with the rounds that its file says."""
    known = {many.drill for many in RECORD}
    for one in scenarios:
        if one.name not in known and (not drills or one.name in drills):
            for row in rows:
                yield Wanted(one.name, row, 1, one.rounds)
