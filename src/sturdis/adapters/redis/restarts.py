"""Ending a server that is started again, and finding what was in it."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

from sturdis.adapters.redis import link
from sturdis.adapters.redis.link import REPLY_SECONDS, Link
from sturdis.core import info as infos
from sturdis.core.address import Address
from sturdis.core.errors import AccessError, TargetError
from sturdis.core.facts import Refused, Restarted, Unseen
from sturdis.core.replies import ErrorReply, text
from sturdis.core.restarting import SPARE_SECONDS

ASK_SECONDS = 0.02
"""From one try to reach the new server to the next: the figure of the downtime is as good."""


class ByShutdown:
    """Restarts a server whose supervisor starts it again when it ends, such as `up`'s."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def restart(self) -> Refused | Unseen | None:
        """Have the server write and end; None: it does."""
        address = link.admitted(self._address)
        with suppress(TargetError), Link(address) as connection:
            reply = connection.call("SHUTDOWN")  # there is no reply when it does
            withheld = isinstance(reply, ErrorReply) and reply.withheld
            return (Unseen if withheld else Refused)(f"SHUTDOWN is refused: {text(reply)}")
        return None


def survived(
    address: Address,
    marker: str,
    seconds: float,
    restart: Callable[[], Refused | Unseen | None],
) -> Restarted | Refused | Unseen:
    """Write `marker`, call `restart`, and look for the marker in the new server.

    Args:
        address: Where both servers answer.
        marker: The key that is written, and removed again.
        seconds: Longest wait for the new server.
        restart: Ends the old server.

    Raises:
        TargetError: The server does not answer before the restart.
        AccessError: It does not let us in.
    """
    written = str(uuid4())
    with Link(address, life_seconds=REPLY_SECONDS) as connection:
        before = _process(connection)
        if not isinstance(before, str):
            return before
        reply = connection.call("SET", marker, written, "EX", round(seconds) + SPARE_SECONDS)
    if isinstance(reply, ErrorReply):
        return _not_restarted(reply)
    ended = time.monotonic()
    if refused := restart():
        _take(address, marker)
        return refused
    while not _serves_anew(address, before):
        if time.monotonic() - ended > seconds:
            return Refused(f"it did not serve again within {seconds:.0f} s")
        threading.Event().wait(ASK_SECONDS)
    downtime = (time.monotonic() - ended) * 1000
    return Restarted(marker, written, _take(address, marker), downtime)


def _process(connection: Link) -> str | Refused | Unseen:
    """Give the number that a server takes at its start, at random."""
    reply = connection.call("INFO", "server")
    if isinstance(reply, ErrorReply):
        return _not_restarted(reply)
    run_id = infos.parse(text(reply)).get("run_id")
    return run_id or Unseen("not restarted: INFO has no run_id to know the new server by")


def _not_restarted(reply: ErrorReply) -> Refused | Unseen:
    return (Unseen if reply.withheld else Refused)(f"not restarted: {reply.text}")


def _serves_anew(address: Address, before: str) -> bool:
    with suppress(TargetError, AccessError), Link(address, life_seconds=REPLY_SECONDS) as new:
        process = _process(new)
        return new.call("PING") == b"PONG" and isinstance(process, str) and process != before
    return False


def _take(address: Address, marker: str) -> str | None:
    """Remove the marker, and give what it held."""
    with Link(address, life_seconds=REPLY_SECONDS) as connection:
        held = connection.call("GET", marker)
        connection.call("DEL", marker)
    return None if held is None else text(held)
