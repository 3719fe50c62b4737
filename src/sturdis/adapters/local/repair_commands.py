"""Which commands the server that proves a repair has: those of its release, and of its modules."""

from collections.abc import Sequence

from sturdis.adapters.redis.link import Link
from sturdis.core.aof.scan import NAME_BYTES
from sturdis.core.replies import Reply

_WRITING = {b"write", b"may_replicate"}
"""Flags of commands that may stand in an append-only file."""

_FLAGS, _SUBCOMMANDS = 2, 9
"""Where a reply of COMMAND has them."""


def take(link: Link) -> dict[bytes, int]:
    """Give the name of each command that writes, in capitals, and its words.

    So many words, or at least that where negative.
    """
    found: dict[bytes, int] = {}
    for one in _array(link.call("COMMAND")):
        name, arity, *_rest = _array(one) or (None, None)
        if isinstance(name, bytes) and isinstance(arity, int) and _writes(one):
            found[name.upper()[:NAME_BYTES]] = arity
    return found


def _writes(command: Reply) -> bool:
    parts = _array(command)
    if len(parts) > _FLAGS and _WRITING & {*_array(parts[_FLAGS])}:
        return True
    return len(parts) > _SUBCOMMANDS and any(map(_writes, _array(parts[_SUBCOMMANDS])))


def _array(reply: Reply) -> Sequence[Reply]:
    return reply if isinstance(reply, tuple) else ()
