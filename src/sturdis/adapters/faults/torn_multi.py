"""The increment cut at every byte inside its last transaction, each on a copy of its own."""

from collections.abc import Sequence

from sturdis.adapters.faults import trials
from sturdis.adapters.faults.on_rig import Parts
from sturdis.adapters.faults.trials import Life, OnCopies, Trial, Written
from sturdis.core.drill.events import Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults.files import TornMulti
from sturdis.core.errors import SturdisError

LAST = "redis.call('set', 'a', '1'); redis.call('set', 'half', 'done')"
"""What is written last: 15 bytes of MULTI, 60 of two commands, 14 of EXEC, so 88 offsets inside."""

LATER = "redis.call('set', 'lua', 'v'); redis.call('incr', 'n')"
"""A later write by a script, which the server writes as a transaction."""


def inside(some: Written) -> range:
    """Give the offsets inside the last transaction, which ends the increment."""
    return range(some.increment.rindex(b"*1\r\n$5\r\nMULTI\r\n") + 1, len(some.increment))


def keeps_later_writes(trial: Trial) -> bool:
    """Tell whether what is written after the first and the second start is there after the third.

    Nor may the first start find a part of the transaction. A start that is refused keeps nothing.
    """
    with trial:
        try:
            with trial.life() as first:
                half_done = first.call("GET", "half") is not None
                first.call("SET", "plain", "v")
            with trial.life() as second:
                plain = second.call("GET", "plain")
                second.call("EVAL", LATER, 0)
            with trial.life() as third:
                return not half_done and _all_there(third, plain)
        except SturdisError:
            return False


def _all_there(third: Life, plain: object) -> bool:
    seen = [third.call("GET", name) for name in ("plain", "lua", "n")]
    return [plain, *seen] == [b"v", b"v", b"v", b"1"]


class TornMultiFault(OnCopies):
    """Cuts at every offset inside the last transaction, and counts the cuts that lose something."""

    last = LAST

    def __init__(self, options: TornMulti, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options

    def inject(self, _number: int) -> Sequence[Event]:
        """Try every cut, and some with zero bytes behind."""
        some = self.written
        with_nuls = inside(some)[:: self._options.every]
        lost_with_nuls = self._count(some, with_nuls, self._options.nuls)
        self.counted["cuts"] += len(inside(some))
        self.counted["lost"] += self._count(some, inside(some), 0)
        self.counted["cuts_with_nuls"] += len(with_nuls)
        self.counted["lost_with_nuls"] += lost_with_nuls
        return ()

    def _count(self, some: Written, cuts: Sequence[int], nuls: int) -> int:
        """Count the cuts that lose something."""

        def passed(cut: int) -> bool:
            torn = some.increment[:cut] + bytes(nuls)
            guarded = self.rig.plan.guarded
            return keeps_later_writes(Trial(some, torn, self.home, guarded=guarded))

        return len(trials.failed(cuts, passed))


def of(options: Options, parts: Parts) -> OnCopies | None:
    """Give the fault that the options ask for; None: it is of another family."""
    return TornMultiFault(options, parts) if isinstance(options, TornMulti) else None
