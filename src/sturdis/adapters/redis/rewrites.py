"""A rewrite of the append-only file: asked for, and followed until it has ended."""

import threading
from collections.abc import Callable, Iterator

from sturdis.adapters.redis.link import Link
from sturdis.core.replies import text

POLL_SECONDS = 0.05

Look = Callable[[], dict[str, str]]
"""Asks for `INFO persistence`."""


def under_way(look: Look) -> Iterator[dict[str, str]]:
    """Give what INFO says, again and again, as long as a rewrite is under way or due."""
    pause = threading.Event()
    while True:
        info = look()
        if "1" not in {info.get(f"aof_rewrite_{x}") for x in ("in_progress", "scheduled")}:
            return
        yield info
        pause.wait(POLL_SECONDS)


def anew(
    link: Link, look: Look, tell: Callable[[dict[str, str]], None] = lambda _info: None
) -> str:
    """Let a server rewrite its file from now on, and wait; give its refusal, or nothing.

    One that is under way already is awaited first: it knows nothing of what was written since it
    began, and the file for that may be what has to be replaced. How it ended, INFO tells.

    Args:
        link: To the server.
        look: Asks it for INFO.
        tell: Called with what INFO says, as it goes on.
    """
    while "already in progress" in (said := text(link.call("BGREWRITEAOF"))):
        _await_end(look, tell)
    if not said.startswith("Background"):
        return said
    _await_end(look, tell)
    return ""


def _await_end(look: Look, tell: Callable[[dict[str, str]], None]) -> None:
    for info in under_way(look):
        tell(info)
