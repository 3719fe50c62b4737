"""Many questions in one go, where one that is refused leaves the others without a meaning.

And their replies read, where a key of another kind than BullMQ's counts for nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from sturdis.adapters.redis.link import Link
from sturdis.core import info as infos
from sturdis.core.facts import Unseen
from sturdis.core.replies import Command, ErrorReply, Reply, text

Seen = TypeVar("Seen")


class RefusedError(Exception):
    """The server gave no answer: its words."""


def ask(connection: Link, commands: Iterable[Command]) -> tuple[Reply, ...]:
    """Send commands in one go.

    Raises:
        RefusedError: One was refused; a key of another kind than BullMQ's is no refusal.
    """
    sent = tuple(commands)
    replies = connection.call_all(sent) if sent else ()
    for command, reply in zip(sent, replies, strict=True):
        if isinstance(reply, ErrorReply) and not reply.text.startswith("WRONGTYPE"):
            raise RefusedError(f"{command[0]!s} is refused: {reply.text}")
    return replies


def ask_each(connection: Link, batches: Iterable[Sequence[Command]]) -> list[tuple[Reply, ...]]:
    """Send several batches of commands in one go, and give the replies to each batch.

    Raises:
        RefusedError: As `ask`.
    """
    asked = tuple(batches)
    replies = iter(ask(connection, [one for batch in asked for one in batch]))
    return [tuple(next(replies) for _ in batch) for batch in asked]


def info(connection: Link, *section: str) -> Mapping[str, str] | Unseen:
    """Ask for INFO, or for a section of it."""
    reply = connection.call("INFO", *section)
    if isinstance(reply, ErrorReply):
        return Unseen(f"INFO is refused: {reply.text}")
    return infos.parse(text(reply))


def count(reply: Reply) -> int:
    """Give a number; 0 where the reply is none."""
    return reply if isinstance(reply, int) else 0


def texts(reply: Reply) -> tuple[str, ...]:
    """Give the strings among several; nothing where the reply is of another form."""
    items = reply if isinstance(reply, tuple) else ()
    return tuple(text(one) for one in items if isinstance(one, bytes))


def seen(look: Callable[[], Seen]) -> Seen | Unseen:
    """Look, and take a refusal for something that was not seen."""
    try:
        return look()
    except RefusedError as error:
        return Unseen(str(error))
