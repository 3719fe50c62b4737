"""Looks at a server's fsyncs that go on until it is killed, at the server's own pace.

A look that this program takes is as old, when the kill is done, as others let it wait for a
processor in between; meanwhile an fsync may have begun, and adds been acknowledged and held back.
So the server is asked for hundreds of looks ahead, in one go, each after a WAIT of 1 ms: it takes
one in each turn of its loop, and what it could still tell is read when it is dead.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.errors import SturdisError
from sturdis.core.replies import Command, Reply

AHEAD = 500
"""Looks that are asked for: half a second of them, far longer than a kill takes."""

REPLY_SECONDS = 2.0
"""Longest wait for the first look: a server that is behind on its disk answers late."""

LOOK = """\
local info = redis.call('INFO', 'persistence')
return {
    info:match('aof_enabled:(%d)') or '',
    info:match('aof_delayed_fsync:(%d+)') or '',
    info:match('aof_pending_bio_fsync:(%d+)') or '',
}
"""


@dataclass(frozen=True)
class Seen:
    """What a look told; None: it was not seen."""

    delayed: int | None = None
    """`aof_delayed_fsync`."""
    pending: bool | None = None
    """Whether an fsync was under way, or about to be."""
    late: int | None = None
    """By how much `aof_delayed_fsync` rose since the first look."""


class Looks:
    """Looks at the server at `address`, from here on until `last`."""

    def __init__(self, address: Address) -> None:
        self._link: Link | None = None
        self._seen = Seen()
        commands: list[Command] = [("EVAL", LOOK, 0), ("WAIT", 1, 1)]
        with suppress(SturdisError):
            self._link = Link(address, reply_seconds=REPLY_SECONDS)
            self._link.send(*commands * AHEAD)
            self._seen = seen(self._link.receive())

    def last(self) -> Seen:
        """Give the last look of a server that was killed meanwhile.

        Nothing was seen where the server answered no look, or all of them before it was killed.
        """
        first = self._seen.delayed
        last = self._last()
        known = first is not None and last.delayed is not None
        return replace(last, late=(last.delayed or 0) - (first or 0)) if known else last

    def _last(self) -> Seen:
        if self._link is None:
            return Seen()
        left = 2 * AHEAD - 1
        try:
            for number in range(left):
                reply = self._link.receive()
                if number % 2:
                    self._seen = seen(reply)
        except SturdisError:
            return self._seen
        finally:
            self._link.close()
        return Seen()


def seen(reply: Reply) -> Seen:
    """Read a look. A server without an append-only file has no fsync to be late with."""
    fields = reply if isinstance(reply, tuple) else ()
    enabled, delayed, pending = _texts(fields) or ("", "", "")
    if enabled == "0":
        return Seen(0, pending=False)
    return Seen(int(delayed), pending=pending != "0") if delayed and pending else Seen()


def _texts(fields: Sequence[Reply]) -> list[str]:
    return [field.decode() for field in fields if isinstance(field, bytes)]
