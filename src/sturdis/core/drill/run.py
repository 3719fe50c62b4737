"""One run of a drill: what was asked for, and what follows from it for its load."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sturdis.core.address import Address
from sturdis.core.drill.load import LoadPlan
from sturdis.core.drill.scenario import Load, Scenario
from sturdis.core.drill.verdict import Timing

QUEUES = ("drill-one", "drill-two")
"""Queues that the load uses, below a prefix of the run's own."""

PREFIX = "sturdis:drill"
"""All keys of all drills are below this."""


@dataclass(frozen=True)
class Run:
    """A drill to be run."""

    scenario: Scenario
    seed: int
    """Decides when each fault comes, what it does, and which jobs are added."""
    rounds: int
    folder: str
    """Where its log, journal and files are: of this run alone."""
    name: str
    """Tells its keys from those of other runs."""
    modules: str | None = None
    """A folder with the Node BullMQ in its node_modules; None: only Python makes load."""

    @property
    def prefix(self) -> str:
        """BullMQ's prefix of its keys."""
        return f"{PREFIX}:{self.name}"

    def timing(self, longest_fsync: float | None = None) -> Timing:
        """Give the times of its workers; `longest_fsync` is in seconds, None: not measured."""
        load = self.scenario.load or Load()
        measured = None if longest_fsync is None else round(longest_fsync * 1000)
        return Timing(load.lock_duration, load.stalled_interval, measured)

    def load_plans(self, address: Address, writers: Sequence[str]) -> tuple[LoadPlan, ...]:
        """Share the load among load processes, by their names: all on the same queues."""
        load = self.scenario.load
        if load is None:
            return ()
        share = msgspec.structs.asdict(load) | {"rate": load.rate / len(writers)}
        return tuple(
            LoadPlan(
                writer=writer,
                folder=self.folder,
                address=address,
                queues=QUEUES,
                seed=self.seed,
                prefix=self.prefix,
                **share,
            )
            for writer in writers
        )
