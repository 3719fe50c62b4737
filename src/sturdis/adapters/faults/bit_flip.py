"""One bit of the last increment is another: seen and mended under load, and counted on copies."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sturdis.adapters.drill.server import CLOCK
from sturdis.adapters.faults import repairing, trials
from sturdis.adapters.faults.files import Damage, flip
from sturdis.adapters.faults.on_rig import OnRig, Parts
from sturdis.adapters.faults.trials import Life, OnCopies, Trial, Written
from sturdis.core.aof.layout import Layout, Span, layout
from sturdis.core.drill import damage
from sturdis.core.drill.events import Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import files
from sturdis.core.errors import DataError, DrillError, SturdisError

OF_THE_BYTES = frozenset({"data.corrupt", "data.torn_earlier", "data.long_tail"})
"""Codes by which the guard refuses an append-only file for what is in it."""

OF_THE_FILE = "reading the append only file"
"""In every word that a server of the matrix ends with for what is in the file."""

TOLD, HARMLESS, WRONG = "told", "harmless", "wrong"
"""What became of a flip: a start refused or a tail cut; the same data; other data, and no word."""


FIGURES = ("flips", TOLD, HARMLESS, WRONG, "frame_flips", "untold_in_frame", "unflipped_alike")


class BitFlip(Damage):
    """A bit of the frame. The start is refused, and `sturdis repair` mends the data.

    `untold` counts the flips that neither guard nor server said anything of; `cut_whole_units` the
    units beside the one that was hit that the guard cut off.
    """

    def __init__(self, options: files.BitFlip, parts: Parts) -> None:
        super().__init__(parts)
        self._among = options.among
        self._found = Layout((), ())
        self._hit = Span(0, 0)
        self.counted.update(untold=0, repaired=0, cut_whole_units=0, unmet=0)

    def damage(self, number: int, increment: Path, content: bytes) -> Sequence[Event]:
        """Turn one bit around; the unit that it is in is lost."""
        self._found = layout(content)
        framed = self._found.frame_bytes(max(0, len(content) - self._among))
        if not framed:
            self.counted["unmet"] += 1
            return ()
        at = self.dice.choice(framed)
        self._hit = self._found.unit_at(at) or Span(at, len(content))
        flip(increment, at, self.dice.randrange(8))
        self.counted["unmet"] += increment.read_bytes() == content
        return (damage.destroyed(CLOCK.now(), number, content[self._hit.start : self._hit.end]),)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Start the server; where that is refused, repair the data and start it then."""
        if not self.down:
            return ()
        before = len(self.rig.mended)
        try:
            served = super().undo(number, seconds)
        except (DataError, DrillError) as error:
            if not speaks_of_damage(error):
                raise
            self.rig.end_all()
            self.down = True
            repairing.repair(self.rig, number)
            self.counted["repaired"] += 1
            return super().undo(number, seconds)
        cuts = [one.cut for one in self.rig.mended[before:] if one.cut]
        self.counted["untold"] += not cuts
        for cut in cuts:
            self.counted["cut_whole_units"] += others_cut(self._found, self._hit, cut.offset)
        return served


def others_cut(found: Layout, hit: Span, offset: int) -> int:
    """Count the units that a cut at `offset` took, beside the one that was hit."""
    return sum(one.end > offset and one != hit for one in found.units)


def speaks_of_damage(error: SturdisError) -> bool:
    """Tell whether a start was refused for the bytes, and not for want of time or a port."""
    return error.code in OF_THE_BYTES or OF_THE_FILE in error.why


class BitFlips(OnCopies):
    """Bits anywhere, each in a copy of what BullMQ wrote.

    `untold_in_frame` counts those of the frame that nobody told of; `wrong`, of all, those after
    which a server has other data and says nothing.
    """

    def __init__(self, options: files.BitFlips, parts: Parts) -> None:
        super().__init__(parts)
        self._trials = options.trials
        self._truth: Mapping[bytes, bytes] = {}
        self.counted.update(dict.fromkeys(FIGURES, 0))

    def prepare(self) -> None:
        """Have BullMQ write, and read what that comes to."""
        super().prepare()
        some = self.written
        with Trial(some, some.increment, self.home, guarded=True) as whole, whole.life() as life:
            self._truth = _digests(life)

    def inject(self, _number: int) -> Sequence[Event]:
        """Try so many bits, or all."""
        some = self.written
        every = range(len(some.increment) * 8)
        bits = self.dice.sample(every, min(self._trials, len(every)))
        fates: dict[int, str] = {}

        def tried(bit: int) -> bool:
            content = bytearray(some.increment)
            content[bit // 8] ^= 1 << bit % 8
            fates[bit] = self._fate(some, bytes(content))
            return True

        trials.failed(bits, tried)
        self.counted["unflipped_alike"] += self._fate(some, some.increment) == HARMLESS
        self._count(fates, layout(some.increment))
        return ()

    def _count(self, fates: Mapping[int, str], found: Layout) -> None:
        framed = set(found.frame_bytes(0))
        self.counted["flips"] += len(fates)
        for bit, fate in fates.items():
            in_frame = bit // 8 in framed
            self.counted[fate] += 1
            self.counted["frame_flips"] += in_frame
            self.counted["untold_in_frame"] += in_frame and fate != TOLD

    def _fate(self, some: Written, content: bytes) -> str:
        with Trial(some, content, self.home, guarded=self.rig.plan.guarded) as trial:
            try:
                with trial.life() as life:
                    if trial.increment.stat().st_size < len(content):
                        return TOLD
                    return HARMLESS if _digests(life) == self._truth else WRONG
            except (DataError, DrillError) as error:
                if speaks_of_damage(error):
                    return TOLD
                raise


def _digests(life: Life) -> Mapping[bytes, bytes]:
    """Give each key that does not expire with a digest of its value."""
    with life.link() as link:
        found = link.call("KEYS", "*")
        keys = [key for key in found if isinstance(key, bytes)] if isinstance(found, tuple) else []
        left = link.call_all([("PTTL", key) for key in keys])
        kept = [key for key, ttl in zip(keys, left, strict=True) if ttl == -1]
        told = link.call_all([("DEBUG", "DIGEST-VALUE", key) for key in kept])
    return {
        key: one[0]
        for key, one in zip(kept, told, strict=True)
        if isinstance(one, tuple) and isinstance(one[0], bytes)
    }


def of(options: Options, parts: Parts) -> OnRig | None:
    """Give the fault that the options ask for; None: it is of another family."""
    match options:
        case files.BitFlip():
            return BitFlip(options, parts)
        case files.BitFlips():
            return BitFlips(options, parts)
    return None
