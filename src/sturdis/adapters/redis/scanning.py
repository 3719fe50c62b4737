"""All keys of a server, a step of SCAN at a time."""

from collections.abc import Iterator

from sturdis.adapters.redis.link import Link
from sturdis.core.errors import TargetError
from sturdis.core.replies import ErrorReply

KEYS_A_STEP = 1000
"""Keys looked at in one step."""


def steps(link: Link, *words: str, at_once: int = KEYS_A_STEP) -> Iterator[list[bytes]]:
    """Give the keys that each step finds; one may come twice. `words` are MATCH, TYPE and such.

    Raises:
        TargetError: The server does not answer, or `target.refused`.
    """
    cursor = b"0"
    while True:
        step = link.call("SCAN", cursor, *words, "COUNT", at_once)
        if isinstance(step, ErrorReply):
            raise TargetError(
                "target.refused",
                "the server refused to show its keys",
                why=step.text,
                do="allow the user to read the queues' keys, and SCAN",
            )
        cursor, keys = step if isinstance(step, tuple) else (b"0", ())
        yield [key for key in keys if isinstance(key, bytes)]
        if cursor == b"0":
            return
