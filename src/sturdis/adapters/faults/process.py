"""Faults of the process of a rig's server."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sturdis.adapters.drill import undo_steps
from sturdis.adapters.drill.server import CLOCK
from sturdis.adapters.faults.chain import ChainProof
from sturdis.adapters.faults.on_rig import OnRig, Parts, come, temporary_files
from sturdis.adapters.local import data_folder
from sturdis.core.drill.events import Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import process

if TYPE_CHECKING:
    from pathlib import Path

BEGINS_WITHIN = 10.0
"""Longest wait for a rewrite or a load to begin, in seconds."""

STOPPED_WITHIN = 2.0
"""Seconds from the signal to where its process is stopped: it ends its time slice first."""

SAVE_DELAY = "50000"
"""Microseconds for each key that a rewrite writes, so that it lasts."""

LOAD_DELAY = "2000"
"""Microseconds for each command that is loaded, so that it lasts."""

LOADING = b"Reading RDB base file"
READY = b"Ready to accept connections"
"""What the servers' logs say when they begin to load, and when they have."""

LONGEST_LOADING = 0.25
"""Seconds from the beginning of a load to its kill, at most."""


class Kill(OnRig):
    """SIGKILL at any moment under load."""

    def inject(self, number: int) -> Sequence[Event]:
        """Kill it."""
        return (self.kill(number),)


class KillInRewrite(OnRig):
    """SIGKILL while a rewrite is under way.

    What is left is proven afterwards: base and increments of before hold the same as the base that
    the next rewrite makes of them.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._proof = ChainProof(self.rig, self.journal)
        self._left: list[Path] = []

    def inject(self, number: int) -> Sequence[Event]:
        """Begin a rewrite, and kill the server in it."""
        self.rig.call("CONFIG", "SET", "rdb-key-save-delay", SAVE_DELAY)
        self.rig.call("BGREWRITEAOF")
        begun = come(lambda: self._rewrites() or bool(temporary_files(self.rig.data)), 5.0)
        CLOCK.wait(self.dice.uniform(0, 0.15))
        in_rewrite = begun and self._rewrites()
        killed = self.kill(number)
        self.counted["unmet"] += not in_rewrite
        self._left = temporary_files(self.rig.data)
        self.counted["temporary_files"] += len(self._left)
        return (killed,)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Prove the chain on a copy, and start the server."""
        was_down = self.down
        if was_down:
            self.counted["broken_chains"] += not self._proof.holds(number)
        events = super().undo(number, seconds)
        if was_down:
            self.counted["temporary_files_left"] += sum(path.exists() for path in self._left)
            self._left = []
        return events

    def _rewrites(self) -> bool:
        return self.rig.info().get("aof_rewrite_in_progress") == "1"


class KillInLoading(OnRig):
    """SIGKILL, and SIGKILL again while the next server loads the data."""

    def inject(self, number: int) -> Sequence[Event]:
        """Kill it, start it slowly, and kill it as it loads."""
        killed = self.kill(number)
        log = self.rig.data / data_folder.LOG
        before = log.stat().st_size
        self.rig.configure(key_load_delay=LOAD_DELAY)
        try:
            self.rig.start(wait=False)
            begun = come(lambda: LOADING in log.read_bytes()[before:], BEGINS_WITHIN)
            CLOCK.wait(self.dice.uniform(0, LONGEST_LOADING))
            self.rig.end_all()
        finally:
            self.rig.configure()
        in_loading = begun and READY not in log.read_bytes()[before:]
        self.counted["unmet"] += not in_loading
        self.counted["kills"] += 1
        return (killed,)


class Stop(OnRig):
    """SIGSTOP, until it is undone."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._entry: int | None = None

    def inject(self, number: int) -> Sequence[Event]:
        """Stop it."""
        del number
        self._entry = self.rig.freeze()
        self.counted["unmet"] += not come(self._is_stopped, STOPPED_WITHIN)
        return ()

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Let it go on."""
        del number
        if self._entry is not None:
            self.journal.undo(self._entry)
            self._entry = None
            self.rig.wait_until_served(seconds)
        return ()

    def _is_stopped(self) -> bool:
        """Tell whether the kernel calls it stopped, which is T."""
        return undo_steps.stat(self.rig.pid)[:1] == ["T"]


def of(options: Options, parts: Parts) -> OnRig | None:
    """Give the fault that the options ask for; None: it is of another family."""
    match options:
        case process.Kill(moment=process.Moment.ANY):
            return Kill(parts)
        case process.Kill(moment=process.Moment.REWRITE):
            return KillInRewrite(parts)
        case process.Kill(moment=process.Moment.LOADING):
            return KillInLoading(parts)
        case process.Stop():
            return Stop(parts)
    return None
