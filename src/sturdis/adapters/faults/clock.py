"""A clock that jumps under a rig's server, while those of its clients stay right."""

import math
import time
from collections.abc import Sequence

from sturdis.adapters.faults.on_rig import Parts, come
from sturdis.adapters.faults.power import WithShim
from sturdis.adapters.faults.shim import Word
from sturdis.adapters.redis import scanning
from sturdis.adapters.redis.link import Link
from sturdis.core.drill.events import Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import clock
from sturdis.core.replies import Reply

FSYNC_WITHIN = 2.5
"""Under writes `everysec` begins an fsync each second; twice that and some patience."""

NEAR = 60.0
"""Seconds between the clock that is wanted and the one that the server tells, at most."""

LATE = 60_000
"""Milliseconds. Nothing in a drill expires so late, unless its clock was ahead."""


class ClockStep(WithShim):
    """The server's clock jumps ahead in odd rounds and back in even ones, and later returns.

    Each return is a step as well: one of the two goes back. A server that decides by the clock when
    the next fsync is due makes none after a step back, until the clock has caught up; keys that
    were to expire soon do so after the step. Both are counted, and mended as a person would.
    """

    def __init__(self, options: clock.ClockStep, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options
        self._ahead = 0.0
        self.counted.update(
            fsyncs_stopped_ahead=0, fsyncs_stopped_back=0, fsyncs_not_mended=0, late_expiries=0
        )

    def inject(self, number: int) -> Sequence[Event]:
        """Let the clock jump."""
        self._step(self._options.step if number % 2 else -self._options.step)
        return ()

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Let the clock return, and mend what that leaves."""
        del number, seconds
        if self._ahead:
            self._step(0.0)
        return ()

    def _step(self, ahead: float) -> None:
        back = ahead < self._ahead
        self.shim.set_clock(ahead)
        self._ahead = ahead
        self.counted["steps"] += 1
        self.counted["unmet"] += abs(self._server_ahead() - ahead) > NEAR
        came = self._fsyncs_go_on(2)
        self.counted["fsyncs_stopped_ahead"] += not came and not back
        self.counted["fsyncs_stopped_back"] += not came and back
        if not came:
            self._fsync_now()
            self.counted["fsyncs_not_mended"] += not self._fsyncs_go_on(1)
        self.counted["late_expiries"] += self._expire_what_is_late()

    def _server_ahead(self) -> float:
        """Give how many seconds the server's clock is ahead of this machine's."""
        told = self.rig.call("TIME")
        seconds = told[0] if isinstance(told, tuple) else None
        return int(seconds) - time.time() if isinstance(seconds, bytes) else math.inf

    def _fsyncs_go_on(self, number: int) -> bool:
        """Tell whether so many fsyncs come; the first may have been due before a step."""
        before = self.shim.count(Word.COMPLETED)
        return come(lambda: self.shim.count(Word.COMPLETED) >= before + number, FSYNC_WITHIN)

    def _fsync_now(self) -> None:
        """Let one write be fsynced at once: from then on the server counts by its new clock."""
        with Link(self.rig.address) as link:
            link.call("CONFIG", "SET", "appendfsync", "always")
            link.call("SET", "sturdis:drill:clock", 1, "PX", 1)
            link.call("CONFIG", "SET", "appendfsync", "everysec")

    def _expire_what_is_late(self) -> int:
        """Remove `stalled-check` keys that would keep BullMQ from looking for stalled jobs."""
        with Link(self.rig.address) as link:
            found = list(scanning.steps(link, "MATCH", "*:stalled-check"))
            late = [key for keys in found for key in keys if _is_late(link.call("PTTL", key))]
            return sum(link.call("DEL", key) == 1 for key in late)


def of(options: Options, parts: Parts) -> ClockStep | None:
    """Give the fault that the options ask for; None: it is of another family."""
    return ClockStep(options, parts) if isinstance(options, clock.ClockStep) else None


def _is_late(left: Reply) -> bool:
    return isinstance(left, int) and left > LATE
