"""What all faults of a rig have: it serves before and after, and what was seen is counted."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from msgspec import structs

from sturdis.adapters.drill.ledger_log import LedgerLog
from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.drill.server import CLOCK
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.faults import jobs, repairing
from sturdis.adapters.redis.healing import SickServer
from sturdis.core.aof import guard as guards
from sturdis.core.doctor.healing import State
from sturdis.core.drill.events import Event, Killed
from sturdis.core.drill.observed import Figures
from sturdis.core.errors import DataError, DrillError, TargetError

LOOK_SECONDS = 0.01
"""How often is looked whether something has come."""


@dataclass(frozen=True)
class Parts:
    """What faults of a rig are made of."""

    rig: Rig
    """The server; it serves."""
    journal: Journal
    """Told of what is to be undone."""
    dice: Random
    """What the seed leaves to chance."""
    log: LedgerLog
    """Of the drill's events."""


class OnRig:
    """A fault of the server of a rig."""

    def __init__(self, parts: Parts) -> None:
        self.rig = parts.rig
        self.journal = parts.journal
        self.dice = parts.dice
        self.log = parts.log
        self.counted: Counter[str] = Counter()
        """What was counted over all rounds; `unmet`, of faults that may miss: rounds in which it
        was not met. A fault that cannot tell has none: no drill can expect it to be 0."""
        self.down = False
        """Whether the server was ended, and is to be started again."""

    def prepare(self) -> None:
        """Do nothing: the server serves."""

    def inject(self, number: int) -> Sequence[Event]:
        """Break the server; each fault does it in its own way.

        Raises:
            DrillError: It could not be injected.
        """
        raise NotImplementedError

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Start the server again, where it was ended.

        Raises:
            DrillError: `drill.not_served`.
            DataError: The guard refuses the data.
        """
        del number  # of faults that tell what they did in it
        return self._serve(seconds)

    def start_repaired(self, number: int, seconds: float) -> Sequence[Event]:
        """Start the server as `undo`; where the guard refuses the data, repair it, and start then.

        Raises:
            DrillError: As for `undo` and `repairing.repair`.
            DataError: The guard refuses what was repaired.
        """
        try:
            return self._serve(seconds)
        except DataError:
            repairing.repair(self.rig, number)
            self.counted["repaired"] += 1
            return self._serve(seconds)

    def _serve(self, seconds: float) -> Sequence[Event]:
        if not self.down:
            return ()
        self.rig.start(wait=False)
        self.down = False
        served = self.rig.wait_until_served(seconds)
        return (served,)

    def kill(self, number: int) -> Killed:
        """Kill the server, and tell which jobs its files lack at once.

        What it acknowledges while an fsync is under way, or waits to begin, it holds back. A server
        that writes no file is told of as its looks saw it.
        """
        killed = self.rig.kill(number)
        self.down = True
        self.counted["kills"] += 1
        if not any((self.rig.data / guards.FOLDER).glob("*.incr.aof")):
            return killed
        lacking = jobs.asked(self.log.folder, killed.at) - jobs.written(self.rig)
        return structs.replace(killed, unwritten=tuple(sorted(lacking)), files_read=True)

    def figures(self) -> Figures:
        """Give what was counted."""
        return dict(self.counted)

    def close(self) -> None:
        """End what the fault itself runs; nothing here."""

    def sick(self) -> SickServer:
        """Give the server as one that may refuse writes."""
        return SickServer(self.rig.address, "the drill's server")

    def refuses(self) -> bool:
        """Tell whether it refuses writes with MISCONF."""
        return self.sick().refusing().state is State.MISCONF

    def reads(self) -> bool:
        """Tell whether it answers reads."""
        try:
            return isinstance(self.rig.call("DBSIZE"), int)
        except TargetError:
            return False


def come(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until `holds`, and tell whether it did within `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        CLOCK.wait(LOOK_SECONDS)
    return True


def expect(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until `holds`.

    Raises:
        DrillError: `drill.not_served`: it did not within `seconds`.
    """
    if not come(holds, seconds):
        raise DrillError(
            "drill.not_served",
            f"the drill waited for {what}",
            why=f"it did not come within {seconds:g} s",
            do="read the server's log in the run's folder: rig/data/server.log",
        )


def temporary_files(data: Path) -> list[Path]:
    """Give the files of rewrites that were not brought to an end."""
    return sorted(data.rglob("temp-rewriteaof-*"))
