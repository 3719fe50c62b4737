"""Faults of the disk under a rig's data: a failed fsync, and no room."""

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from sturdis.adapters.drill.server import CLOCK
from sturdis.adapters.faults import jobs
from sturdis.adapters.faults.on_rig import OnRig, Parts, come, temporary_files
from sturdis.adapters.faults.power import WithShim
from sturdis.adapters.faults.shim import Word
from sturdis.core.drill.events import Destroyed, Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import disk
from sturdis.core.drill.observed import Figures
from sturdis.core.errors import DrillError

REFUSED_WITHIN = 15.0
"""Longest wait for writes to be refused: the next fsync comes within a second, or a write."""

BY_ITSELF_WITHIN = 2.5
"""How long a server may take to come back by itself: two fsyncs of `everysec`."""

FSYNCS_WITHIN = 2.5
"""Longest wait for the rest of the fsyncs that fail: none may come any more."""

MET_SECONDS = 0.3
"""How long clients meet a fault before the next step."""

HEALED_WITHIN = 10.0
REWRITTEN_WITHIN = 30.0
FREED_WITHIN = 10.0
"""Seconds."""

CHUNK = 1 << 16
PAGE = 4096
MIB = 1 << 20


class FailedFsync(WithShim):
    """EIO from an fsync: writes are refused; healed when the fault is gone; then SIGKILL.

    After one error a server that was written to meanwhile fsyncs again, and heals by that. When
    that fsync fails as well, a failed one has covered all that was written: nothing is written any
    more, so no fsync comes, and writes stay refused although the disk is well.
    """

    def __init__(self, options: disk.FailedFsync, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options
        self._slowest = 0.0
        self._failing = False

    def inject(self, number: int) -> Sequence[Event]:
        """Let the next fsync fail."""
        self.shim.fail(self._options.errors if number % 2 else 1)
        self._failing = True
        refused = come(self.refuses, REFUSED_WITHIN)
        come(lambda: not self.shim.count(Word.FAILURES), FSYNCS_WITHIN)
        self.counted["unmet"] += not refused
        self.counted["reads_refused"] += not self.reads()
        return ()

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """End the fault, let writes come back, and see that a kill loses nothing."""
        if not self._failing:
            return super().undo(number, seconds)
        self.shim.fail(0)
        self._failing = False
        began = time.monotonic()
        self.counted[f"healed_by_{self._heal()}"] += 1
        self._slowest = max(self._slowest, time.monotonic() - began)
        return (self.kill(number), *super().undo(number, seconds))

    def figures(self) -> Figures:
        """Give what was counted, and the longest time until writes came back, in seconds."""
        return {**super().figures(), "longest_heal": self._slowest}

    def _heal(self) -> str:
        """Heal as `doctor --heal` does, where the server does not by itself; say what did it.

        Raises:
            DrillError: `drill.not_served`: nothing did.
        """
        if come(lambda: not self.refuses(), BY_ITSELF_WITHIN):
            return "itself"
        rewritten = self.sick().rewrite()
        if not self.refuses():
            return "rewrite"
        toggled = self.sick().toggle(HEALED_WITHIN)
        if not self.refuses():
            return "toggle"
        raise DrillError(
            "drill.not_served",
            "writes stayed refused after a failed fsync",
            why=f"rewrite: {rewritten or 'done'}; toggle: {toggled or 'done'}",
            do="read the server's log in the run's folder: rig/data/server.log",
        )


class _OnSmallDisk(OnRig):
    """A fault of a disk that has no room.

    After a rewrite a server writes its increment without O_APPEND: a write that was cut short is
    taken back, and the next begins as far behind it, over zeros that no server loads. The guard
    refuses such data, and it is repaired.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.counted.update(repaired=0)

    def fill(self, room: int = 0) -> None:
        """Leave so many bytes free."""
        self._write(CHUNK)
        if room:
            os.truncate(self._filler, max(0, self._filler.stat().st_size - room))
        else:
            self._write(PAGE)

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Give the room back, and start the server; where that is refused, repair the data."""
        self.free()
        return self.start_repaired(number, seconds)

    def _write(self, part: int) -> None:
        """Write so many bytes at a time until there is no room for them."""
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(part))

    @property
    def _filler(self) -> Path:
        return self.rig.data / "filler"


class DiskFull(_OnSmallDisk):
    """No room: writes are refused, reads work; room, and writes come back; no room, and SIGKILL.

    What the server acknowledged and could not write is in its memory alone. The jobs of it are
    those that it holds right before the kill, when it takes no write, and that its files lack.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._slowest = 0.0
        self._most_unwritten = 0
        self.counted.update(unhealed=0, reads_refused=0)

    def prepare(self) -> None:
        """Let the server rewrite its file, as one that runs for long has done."""
        self.sick().rewrite()

    def inject(self, number: int) -> Sequence[Event]:
        """Fill the disk, free it, fill it again, and kill the server."""
        self._refused()
        self.free()
        began = time.monotonic()
        self.counted["unhealed"] += not come(lambda: not self.refuses(), FREED_WITHIN)
        self._slowest = max(self._slowest, time.monotonic() - began)
        CLOCK.wait(MET_SECONDS)
        self._refused()
        held, buffer = jobs.held(self.rig), int(self.rig.info().get("aof_buffer_length", 0))
        killed = self.kill(number)
        unwritten = tuple(sorted(held - jobs.written(self.rig)))
        self._most_unwritten = max(self._most_unwritten, len(unwritten))
        return (killed, Destroyed(killed.at, number, buffer, unwritten))

    def figures(self) -> Figures:
        """Give what was counted, the longest return of writes, and the most jobs not written."""
        more = {"longest_heal": self._slowest, "most_unwritten": self._most_unwritten}
        return {**super().figures(), **more}

    def _refused(self) -> None:
        self.fill()
        self.counted["unmet"] += not come(self.refuses, REFUSED_WITHIN)
        self.counted["reads_refused"] += not self.reads()
        CLOCK.wait(MET_SECONDS)


class DiskFullRewrite(_OnSmallDisk):
    """A rewrite without room for its base: it fails, the old files are valid; then SIGKILL."""

    def __init__(self, options: disk.DiskFullRewrite, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options

    def prepare(self) -> None:
        """Write what a base cannot make smaller."""
        for number in range(self._options.ballast):
            self.rig.call("SET", f"sturdis:drill:ballast:{number}", self.dice.randbytes(MIB))

    def inject(self, number: int) -> Sequence[Event]:
        """Leave half the room that a base needs, let it rewrite, and kill the server."""
        self.fill(self._options.ballast * MIB // 2)
        self.rig.call("BGREWRITEAOF")
        self.counted["unmet"] += not come(self._failed, REWRITTEN_WITHIN)
        self.counted["reads_refused"] += not self.reads()
        left = len(temporary_files(self.rig.data))
        self.counted["temporary_files"] += left
        come(lambda: not self.refuses(), FREED_WITHIN)
        self.counted["writes_refused"] += self.refuses()
        return (self.kill(number),)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Give the room back, start the server, and let it rewrite."""
        was_down = self.down
        told = super().undo(number, seconds)
        if was_down:
            self.counted["temporary_files_left"] += len(temporary_files(self.rig.data))
            self.counted["rewrites_refused"] += bool(self.sick().rewrite())
        return told

    def _failed(self) -> bool:
        info = self.rig.info()
        ended = info.get("aof_rewrite_in_progress") == "0"
        return ended and info.get("aof_last_bgrewrite_status") == "err"


def of(options: Options, parts: Parts) -> OnRig | None:
    """Give the fault that the options ask for; None: it is of another family."""
    match options:
        case disk.FailedFsync():
            return FailedFsync(options, parts)
        case disk.DiskFull():
            return DiskFull(parts)
        case disk.DiskFullRewrite():
            return DiskFullRewrite(options, parts)
    return None
