"""Faults of the append-only file of a rig's server, done while the server is down."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from sturdis.adapters.drill.server import CLOCK
from sturdis.adapters.faults.on_rig import OnRig, Parts
from sturdis.adapters.local import data_folder
from sturdis.core.aof import guard as guards
from sturdis.core.aof.scan import Tail, scan
from sturdis.core.drill import damage
from sturdis.core.drill.events import Destroyed, Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import files

TRIES = 100
"""Cuts that are drawn until one is inside a unit; one in ten is not."""


class Damage(OnRig):
    """SIGKILL, and then something is done to the last increment."""

    def inject(self, number: int) -> Sequence[Event]:
        """Kill the server, and damage what it left."""
        killed = self.rig.kill(number)
        self.down = True
        increment = self.rig.increment()
        return (killed, *self.damage(number, increment, increment.read_bytes()))

    def damage(self, number: int, increment: Path, content: bytes) -> Sequence[Event]:
        """Damage the increment, which holds `content`; give what that took."""
        raise NotImplementedError


class Torn(Damage):
    """The end of the increment is not as it was: what is whole before it has to be all that stays.

    `left_torn` counts the starts after which the file is not whole: what was torn is still in it,
    and later writes come behind it.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.counted.update(left_torn=0, bytes_behind_the_last_unit=0)
        self._increment: Path | None = None
        self._whole = b""

    def tear(self, number: int, increment: Path, before: bytes, left: bytes) -> Sequence[Event]:
        """Leave `left` of what was there before; give what that took."""
        increment.write_bytes(left)
        end = damage.last_end(left)
        self._increment, self._whole = increment, left[:end]
        self.counted["bytes_behind_the_last_unit"] += len(left) - end
        if before == left[:end]:
            return ()
        gone = damage.destroyed(CLOCK.now(), number, before[end:])
        self.counted["destroyed_bytes"] += gone.size
        self.counted["destroyed_jobs"] += len(gone.uuids)
        return (gone,)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Start the server, and see what it and the guard made of the file."""
        served = super().undo(number, seconds)
        if self._increment is not None:
            self.counted["left_torn"] += not self._is_mended(self._increment)
            self._increment = None
        return served

    def _is_mended(self, increment: Path) -> bool:
        """Look twice: a write may be under way, which is whole a moment later."""
        if self._is_whole(increment.read_bytes()):
            return True
        self.rig.call("PING")
        return self._is_whole(increment.read_bytes())

    def _is_whole(self, content: bytes) -> bool:
        found = scan([content])
        nothing_left = found.safe_end > len(self._whole) or not found.excess
        kept = content.startswith(self._whole)
        return kept and nothing_left and found.tail is not Tail.CORRUPT


class TornTail(Torn):
    """The increment breaks off inside a command or transaction."""

    def __init__(self, options: files.TornTail, parts: Parts) -> None:
        super().__init__(parts)
        self._most = options.most
        self.counted["unmet"] = 0

    def damage(self, number: int, increment: Path, content: bytes) -> Sequence[Event]:
        """Cut the end off."""
        lowest = max(0, len(content) - self._most)
        for _try in range(TRIES if content else 0):
            left = content[: self.dice.randrange(lowest, len(content))]
            if damage.last_end(left) < len(left):
                return self.tear(number, increment, content, left)
        self.counted["unmet"] += 1
        return ()


class NulTail(Torn):
    """Zero bytes stand behind the increment, and half of the time in place of its end, too."""

    def __init__(self, options: files.NulTail, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options
        self.counted["overwritten"] = 0

    def damage(self, number: int, increment: Path, content: bytes) -> Sequence[Event]:
        """Write zero bytes."""
        over = self.dice.choice((0, self.dice.randint(1, self._options.over)))
        nuls = self.dice.randint(1, self._options.most)
        kept = content[: max(0, len(content) - over)]
        self.counted["overwritten"] += over > 0
        return self.tear(number, increment, content, kept + bytes(over + nuls))


SNAPSHOT = "dump.rdb"
"""What a server of other settings than ours keeps its data in."""


class VolumeLost(OnRig):
    """All that was in the data folder is gone."""

    def inject(self, number: int) -> Sequence[Event]:
        """Kill the server, and remove what it and the guard left; settings and locks stay."""
        killed = self.rig.kill(number)
        self.down = True
        data = self.rig.data
        snapshot = data / SNAPSHOT
        parts = (snapshot, *(data / guards.FOLDER).glob("*"))
        size = sum(path.stat().st_size for path in parts if path.is_file())
        snapshot.unlink(missing_ok=True)
        for folder in (guards.FOLDER, guards.CUT_FOLDER):
            shutil.rmtree(data / folder, ignore_errors=True)
        (data / data_folder.RECORD).unlink(missing_ok=True)
        self.counted["destroyed_bytes"] += size
        return (killed, Destroyed(CLOCK.now(), number, size, everything=True))


def flip(path: Path, offset: int, bit: int) -> None:
    """Turn one bit of a file around."""
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes((byte ^ 1 << bit,)))
        file.flush()
        os.fsync(file.fileno())


def of(options: Options, parts: Parts) -> OnRig | None:
    """Give the fault that the options ask for; None: it is of another family."""
    match options:
        case files.TornTail():
            return TornTail(options, parts)
        case files.NulTail():
            return NulTail(options, parts)
        case files.VolumeLost():
            return VolumeLost(parts)
    return None
