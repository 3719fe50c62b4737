"""One bit of the last increment is another: seen and mended under load, and counted on copies."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sturdis.adapters.faults import repairing, torn_multi, trials
from sturdis.adapters.faults.files import Damage, flip, now
from sturdis.adapters.faults.on_rig import OnRig, Parts
from sturdis.adapters.faults.trials import Life, Trial, Written
from sturdis.core.aof.layout import Layout, Span, layout
from sturdis.core.drill import damage
from sturdis.core.drill.events import Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import files
from sturdis.core.errors import DataError, DrillError, SturdisError

REPAIRED_WITHIN = 60.0
"""Seconds; the data of a drill is repaired within two."""

TOLD, HARMLESS, WRONG = "told", "harmless", "wrong"
"""What became of a flip: a start refused or a tail cut; the same data; other data, and no word."""


class BitFlip(Damage):
    """A bit of the frame. The start is refused, and `sturdis repair` mends the data.

    `untold` counts the flips that neither guard nor server said anything of.
    """

    def __init__(self, options: files.BitFlip, parts: Parts) -> None:
        super().__init__(parts)
        self._among = options.among
        self._hit = b""
        """The bytes from the unit that was hit to the end."""
        self.counted.update(untold=0, repaired=0)

    def damage(self, number: int, increment: Path, content: bytes) -> Sequence[Event]:
        """Turn one bit around; the unit that it is in is lost."""
        found = layout(content)
        at = self.dice.choice(found.frame_bytes(max(0, len(content) - self._among)))
        unit = found.unit_at(at) or Span(at, len(content))
        flip(increment, at, self.dice.randrange(8))
        self._hit = content[unit.start :]
        return (damage.destroyed(now(), number, content[unit.start : unit.end]),)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Start the server; where that is refused, repair the data and start it then."""
        if not self.down:
            return ()
        cuts = len(self.rig.mended)
        try:
            served = super().undo(number, seconds)
        except (DataError, DrillError):
            self.rig.end_all()
            self.down = True
            repairing.repair(self.rig, number)
            self.counted["repaired"] += 1
            return super().undo(number, seconds)
        if len(self.rig.mended) == cuts:
            self.counted["untold"] += 1
            return served
        return (damage.destroyed(now(), number, self._hit), *served)


class BitFlips(OnRig):
    """Bits anywhere, each in a copy of what BullMQ wrote.

    `untold_in_frame` counts those of the frame that nobody told of; `wrong`, of all, those after
    which a server has other data and says nothing.
    """

    def __init__(self, options: files.BitFlips, parts: Parts) -> None:
        super().__init__(parts)
        self._trials = options.trials
        self._home = torn_multi.short_folder(parts.journal)
        self._written: Written | None = None
        self._truth: Mapping[bytes, bytes] = {}
        self.counted.update({"flips": 0, TOLD: 0, HARMLESS: 0, WRONG: 0, "untold_in_frame": 0})

    def prepare(self) -> None:
        """Have BullMQ write, and read what that comes to."""
        some = trials.write(self.rig, self._home / "load")
        with Trial(some, some.increment, self._home, guarded=True) as whole, whole.life() as life:
            self._truth = _digests(life)
        self._written = some

    def inject(self, _number: int) -> Sequence[Event]:
        """Try so many bits."""
        if (some := self._written) is None:
            return ()
        bits = self.dice.sample(range(len(some.increment) * 8), self._trials)
        fates: dict[int, str] = {}

        def tried(bit: int) -> bool:
            fates[bit] = self._fate(some, bit)
            return True

        trials.failed(bits, tried)
        self._count(fates, layout(some.increment))
        return ()

    def _count(self, fates: Mapping[int, str], found: Layout) -> None:
        framed = set(found.frame_bytes(0))
        self.counted["flips"] += len(fates)
        for bit, fate in fates.items():
            self.counted[fate] += 1
            self.counted["untold_in_frame"] += fate != TOLD and bit // 8 in framed

    def _fate(self, some: Written, bit: int) -> str:
        content = bytearray(some.increment)
        content[bit // 8] ^= 1 << bit % 8
        with Trial(some, bytes(content), self._home, guarded=self.rig.plan.guarded) as trial:
            try:
                with trial.life() as life:
                    if trial.increment.stat().st_size < len(content):
                        return TOLD
                    return HARMLESS if _digests(life) == self._truth else WRONG
            except SturdisError:
                return TOLD


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
