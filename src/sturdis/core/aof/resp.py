"""The bytes of an append-only file as expressions: what servers write, and how it breaks off.

A file is a row of commands, `*COUNT CRLF` and COUNT times `$LENGTH CRLF BYTES CRLF`, with lines
between them that begin with `#`. Strictly as servers write it: they would read a little more.
"""

import re
from functools import cache

CRLF = b"\r\n"

COUNT = re.compile(rb"\*([1-9][0-9]{0,9})\r\n")
LENGTH = re.compile(rb"\$(0|[1-9][0-9]{0,18})\r\n")
ANNOTATION = re.compile(rb"#[^\n\0]{0,1021}\n")
"""A line that servers pass over, such as `#TS:` with the second of the writes after it. They read
1023 bytes at once, and what follows as another line."""

BEGINNINGS = {
    COUNT: re.compile(rb"(?:\*(?:[1-9][0-9]{0,9}\r?)?)?"),
    LENGTH: re.compile(rb"(?:\$(?:(?:0|[1-9][0-9]{0,18})\r?)?)?"),
    ANNOTATION: re.compile(rb"(?:#[^\n\0]{0,1021})?"),
}
"""Each line to what it is as long as its end is missing."""

COMMAND_INSIDE = re.compile(rb"\r\n\*[1-9][0-9]{0,9}\r\n\$[0-9]{1,19}\r\n")
"""How a command begins behind another one."""

SHORT_ARGUMENT = 99
"""Longest argument, in bytes, that `short_commands` knows: keys with two UUIDs are shorter."""

SHORT_COMMAND = 14
"""Most arguments that it knows: what BullMQ's HMSET of a job has."""


@cache
def short_commands(names: tuple[tuple[bytes, int], ...] | None = None) -> re.Pattern[bytes]:
    """Match as many commands as follow one another: short ones, of two arguments or more.

    MULTI and EXEC have one. Python's regular expressions pass over such commands several times
    faster than Python code; what this one does not know is read by code, so it decides nothing
    but speed. Compiling it takes about 20 ms.

    Args:
        names: Those that it knows, in capitals, each with its number of words or, negative, the
            least; None: it knows all.
    """
    argument = _short_argument()
    counts = (
        rb"%d\r\n%b(?>%b){%d}" % (n, first, argument, n - 1)
        for n in range(2, SHORT_COMMAND + 1)
        if (first := argument if names is None else _named(names, n))
    )
    return re.compile(rb"(?>\*(?:%b))*+" % b"|".join(counts), re.DOTALL)


def _named(names: tuple[tuple[bytes, int], ...], count: int) -> bytes:
    """Give the expression of the first argument of a command that may have `count`."""
    by_length: dict[int, list[bytes]] = {}
    for name, words in names:
        if words == count or count >= -words > 0:
            by_length.setdefault(len(name), []).extend((name, name.lower()))
    lengths = (
        rb"%d\r\n(?:%b)" % (length, b"|".join(map(re.escape, sorted(some))))
        for length, some in sorted(by_length.items())
    )
    return rb"(?>\$(?:%b)\r\n)" % b"|".join(lengths) if by_length else b""


def _short_argument() -> bytes:
    """Give the expression of one short argument, its length told apart digit by digit."""
    tens = (
        rb"%d(?:%b)" % (ten, b"|".join((rb"\r\n.{%d}" % ten, *_lengths_from(ten))))
        for ten in range(10)
    )
    return rb"\$(?:%b)\r\n" % b"|".join(tens)


def _lengths_from(ten: int) -> list[bytes]:
    if not 0 < ten <= SHORT_ARGUMENT // 10:
        return []
    return [rb"%d\r\n.{%d}" % (one, 10 * ten + one) for one in range(10)]
