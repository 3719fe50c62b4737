"""Where the units of a file that is whole lie, read in the simplest way."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A command alone, a transaction or an annotation: from its first byte to behind its last."""

    start: int
    end: int


def units(whole: bytes) -> Iterator[Unit]:
    """Give the units of an increment that nothing happened to."""
    start: int | None = None
    at = 0
    while at < len(whole):
        begun = at
        words, at = _line(whole, at)
        if words == [b"MULTI"]:
            start = begun
        if words == [b"EXEC"] or start is None:
            yield Unit(begun if start is None else start, at)
            start = None


def _line(whole: bytes, at: int) -> tuple[list[bytes], int]:
    """Give the words of the command at an offset, none for an annotation, and where it ends."""
    is_command = whole[at : at + 1] == b"*"
    begun, at = at, whole.index(b"\n", at) + 1
    words: list[bytes] = []
    for _ in range(int(whole[begun + 1 : at]) if is_command else 0):
        text = whole.index(b"\n", at) + 1
        behind = text + int(whole[at + 1 : text])
        words.append(whole[text:behind])
        at = behind + 2
    return words, at
