"""The head of an RDB, the usual form of the append-only file's base: its format, and whether empty.

REDIS0012  or  VALKEY080, then fields about the file, then what it holds
"""

import re
from dataclasses import dataclass
from typing import Literal

HEAD_BYTES = 4096
"""How much of a file is enough for both answers: the fields about it take about 100 bytes."""

_MAGIC = re.compile(rb"(REDIS|VALKEY)([0-9]{3,4})")
_MAGIC_BYTES = 9
_FIELD, _END = 0xFA, 0xFF
_NUMBER_BYTES = {0xC0: 1, 0xC1: 2, 0xC2: 4}


@dataclass(frozen=True)
class Format:
    """The format of an RDB as its first nine bytes name it."""

    magic: Literal["REDIS", "VALKEY"]
    version: int

    def __str__(self) -> str:
        return f"{self.magic}{self.version:0{_MAGIC_BYTES - len(self.magic)}}"


def format_of(head: bytes) -> Format | None:
    """Read the format from a file's first bytes; None when it is no RDB."""
    match = _MAGIC.fullmatch(head[:_MAGIC_BYTES])
    if match is None or match.end() != _MAGIC_BYTES:
        return None
    return Format("REDIS" if match[1] == b"REDIS" else "VALKEY", int(match[2]))


def is_empty(head: bytes) -> bool:
    """Tell whether an RDB of which `head` is the beginning holds no key and no function."""
    at: int | None = _MAGIC_BYTES if format_of(head) else None
    while at is not None and head[at : at + 1] == bytes((_FIELD,)):
        name_end = _behind_string(head, at + 1)
        at = None if name_end is None else _behind_string(head, name_end)
    return at is not None and head[at : at + 1] == bytes((_END,))


def created(head: bytes) -> int | None:
    """Give the second since 1970 in which an RDB was begun; None: `head` does not tell."""
    at: int | None = _MAGIC_BYTES if format_of(head) else None
    while at is not None and head[at : at + 1] == bytes((_FIELD,)):
        name_end = _behind_string(head, at + 1)
        at = None if name_end is None else _behind_string(head, name_end)
        if at is not None and name_end is not None and head[:name_end].endswith(b"\x05ctime"):
            return int.from_bytes(head[name_end + 1 : at], "little")
    return None


def _behind_string(head: bytes, at: int) -> int | None:
    """Pass over a string shorter than 64 bytes or a number; fields have no others."""
    first = head[at] if at < len(head) else 0x80
    if first in _NUMBER_BYTES:
        return at + 1 + _NUMBER_BYTES[first]
    return at + 1 + first if first < 0x40 else None  # noqa: PLR2004  two bits say that it is short


def ends_whole(tail: bytes) -> bool:
    """Tell whether an RDB ends as written out: its end mark, then eight bytes of checksum.

    The checksum itself is left to the server, which computes it when it loads.
    """
    return tail[-9:-8] == bytes((_END,))
