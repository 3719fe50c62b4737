"""The commands of a file's whole parts, unit by unit."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sturdis.core.aof import resp

Words = Sequence[bytes]
"""A command, its name first."""

_BLOCK = 1 << 16
"""Bytes that are split into lines at once."""

_size_line = tuple(b"$%d" % size for size in range(4096)).__getitem__
"""Give the line before an argument, by its length; longer ones are read one by one."""


class Command(NamedTuple):
    """One command, and where it stands."""

    start: int
    end: int
    words: Words
    name: bytes
    """In capitals."""


class Unit(NamedTuple):
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
    at = start
    while at < end:
        if found := _in_block(text[at : min(end, at + _BLOCK)], at):
            yield from found
            at = found[-1].end
        if at < end and text[at : at + 1] == b"#":
            at = _line(resp.ANNOTATION, text, at).end()
        elif at < end:
            command = _one(text, at)
            yield command
            at = command.end


def _in_block(block: bytes, at: int) -> list[Command]:
    """Give the commands that a block begins with, up to one that takes another way to read.

    Lines are parted several times faster than arguments are read. A line is an argument if it is
    as long as the line before it says: one with a line break in it is not.
    """
    lines = block.split(resp.CRLF)
    last, here = len(lines) - 1, 0
    found: list[Command] = []
    while here < last and lines[here][:1] == b"*":
        behind = here + 1 + 2 * int(lines[here][1:])
        if behind > last:
            break
        words = lines[here + 2 : behind : 2]
        try:
            if lines[here + 1 : behind : 2] != list(map(_size_line, map(len, words))):
                break
        except IndexError:
            break
        end = at + sum(map(len, lines[here:behind])) + 2 * (behind - here)
        found.append(Command(at, end, words, words[0].upper()))
        at, here = end, behind
    return found


def _one(text: bytes, at: int) -> Command:
    """Read one command, argument by argument."""
    head = _line(resp.COUNT, text, at)
    words, behind = [], head.end()
    for _ in range(int(head[1])):
        length = _line(resp.LENGTH, text, behind)
        begin = length.end()
        behind = begin + int(length[1]) + len(resp.CRLF)
        words.append(text[begin : behind - len(resp.CRLF)])
    return Command(at, behind, words, words[0].upper())


def written(*words: bytes) -> bytes:
    """Write a command as servers do."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(one), one) for one in words)


def _line(kind: re.Pattern[bytes], text: bytes, at: int) -> re.Match[bytes]:
    match = kind.match(text, at)
    if match is None:
        raise ValueError(f"byte {at} begins no command: the part is not whole")
    return match
