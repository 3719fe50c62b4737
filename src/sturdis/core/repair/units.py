"""The commands of a file's whole parts, unit by unit."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sturdis.core.aof import resp

Words = Sequence[bytes]
"""A command, its name first."""

_ALONE = (b"MULTI", b"EXEC")


@dataclass(frozen=True)
class Command:
    """One command, and where it stands."""

    start: int
    end: int
    words: Words

    @property
    def name(self) -> bytes:
        """Its name in capitals."""
        return self.words[0].upper()


@dataclass(frozen=True)
class Unit:
    """What a server applies as a whole: a command, or a transaction without its MULTI and EXEC."""

    start: int
    end: int
    commands: tuple[Command, ...]
    is_transaction: bool


def units(text: bytes, start: int, end: int) -> Iterator[Unit]:
    """Give the units of a whole part, annotations left out."""
    began: int | None = None
    held: list[Command] = []
    for command in commands(text, start, end):
        if began is None and command.name != b"MULTI":
            yield Unit(command.start, command.end, (command,), is_transaction=False)
        elif command.name == b"MULTI":
            began = command.start
        elif command.name == b"EXEC":
            yield Unit(began or 0, command.end, tuple(held), is_transaction=True)
            began, held = None, []
        else:
            held.append(command)


def commands(text: bytes, start: int, end: int) -> Iterator[Command]:
    """Give the commands of a whole part."""
    at, length_at = start, resp.LENGTH.match
    while at < end:
        if text[at : at + 1] == b"#":
            at = _line(resp.ANNOTATION, text, at).end()
            continue
        head = _line(resp.COUNT, text, at)
        words, behind = [], head.end()
        for _ in range(int(head[1])):
            length = length_at(text, behind) or _line(resp.LENGTH, text, behind)
            begin = length.end()
            behind = begin + int(length[1]) + 2
            words.append(text[begin : behind - 2])
        yield Command(at, behind, words)
        at = behind


def written(*words: bytes) -> bytes:
    """Write a command as servers do."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(one), one) for one in words)


def _line(kind: re.Pattern[bytes], text: bytes, at: int) -> re.Match[bytes]:
    match = kind.match(text, at)
    if match is None:
        raise ValueError(f"byte {at} begins no command: the part is not whole")
    return match
