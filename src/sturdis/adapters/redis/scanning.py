"""All keys of a server, a step of SCAN at a time."""

from collections.abc import Iterator

from sturdis.adapters.redis.link import Link

KEYS_A_STEP = 1000
"""Keys looked at in one step."""


def steps(link: Link, *words: str) -> Iterator[list[bytes]]:
    """Give the keys that each step finds; one may come twice. `words` are MATCH, TYPE and such.

    Raises:
        TargetError: The server does not answer.
    """
    cursor = b"0"
    while True:
        step = link.call("SCAN", cursor, *words, "COUNT", KEYS_A_STEP)
        cursor, keys = step if isinstance(step, tuple) else (b"0", ())
        yield [key for key in keys if isinstance(key, bytes)]
        if cursor == b"0":
            return
