"""Many questions in one go, where one that is refused leaves the others without a meaning."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from sturdis.adapters.redis.link import Link
from sturdis.core.facts import Unseen
from sturdis.core.replies import Command, ErrorReply, Reply

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


def seen(look: Callable[[], Seen]) -> Seen | Unseen:
    """Look, and take a refusal for something that was not seen."""
    try:
        return look()
    except RefusedError as error:
        return Unseen(str(error))
