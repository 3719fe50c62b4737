"""The manifest that leads a multi-part append-only file: one line for each of its files.

    file appendonly.aof.2.base.rdb seq 2 type b
    file appendonly.aof.3.incr.aof seq 3 type i

Read as strictly as the servers do and no stricter; keys that they do not know are kept.
"""

import re
from dataclasses import dataclass
from enum import Enum

from sturdis.core.aof import words

LINE_BYTES = 1024
"""Longest line that servers read at once, its end included; the rest counts as another line."""

KNOWN = (b"file", b"seq", b"type")

_LINES = re.compile(rb"[^\n]{0,%d}\n|[^\n]{1,%d}" % (LINE_BYTES - 1, LINE_BYTES))
_NUMBER = re.compile(rb"[ \n\r\t\v\f]*[+-]?[0-9]+")  # what atoll(3) reads


class Kind(Enum):
    """What a file is for."""

    BASE = "b"
    INCREMENT = "i"
    HISTORY = "h"
    """Replaced by a rewrite, and to be removed by the server."""


@dataclass(frozen=True)
class Entry:
    """One file of the append-only file."""

    name: bytes
    sequence: int
    kind: Kind
    others: tuple[tuple[bytes, bytes], ...] = ()
    """Keys beside file, seq and type, with their values: Redis 8 writes startoffset."""


@dataclass(frozen=True)
class Manifest:
    """The files of an append-only file, in the manifest's order."""

    entries: tuple[Entry, ...]

    @property
    def base(self) -> Entry | None:
        """What is loaded first, where there is one."""
        return next((one for one in self.entries if one.kind is Kind.BASE), None)

    @property
    def increments(self) -> tuple[Entry, ...]:
        """What is loaded after the base, in order; the server appends to the last."""
        return tuple(one for one in self.entries if one.kind is Kind.INCREMENT)

    @property
    def loaded(self) -> tuple[Entry, ...]:
        """What a server loads, in its order."""
        return (*((self.base,) if self.base else ()), *self.increments)

    def write(self) -> bytes:
        """Give the text as servers write it."""
        return b"".join(map(_line, self.entries))


class ManifestError(ValueError):
    """A manifest that no server reads: the line's number, from 1, and what is wrong."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


def parse(text: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ManifestError: Servers would refuse it.
    """
    if not text:
        raise ManifestError(1, "the manifest is empty")
    entries: list[Entry] = []
    for number, line in enumerate(_LINES.findall(text), start=1):
        if line.startswith(b"#"):
            continue
        try:
            entry = _entry(line)
            _refuse_out_of_order(entry, entries)
        except ValueError as error:
            raise ManifestError(number, str(error)) from error
        entries.append(entry)
    return Manifest(tuple(entries))


def _entry(line: bytes) -> Entry:
    if b"\n" not in line.partition(b"\0")[0]:
        raise ValueError(f"it is longer than {LINE_BYTES} bytes, cut off, or holds a zero byte")
    fields = words.split(line.strip(b" \t\r\n"))
    if len(fields) < 2 * len(KNOWN) or len(fields) % 2:
        raise ValueError("it is not pairs of a key and a value, with file, seq and type")
    pairs = tuple(
        (key.lower(), value) for key, value in zip(fields[::2], fields[1::2], strict=True)
    )
    values = dict(pairs)
    missing = [key.decode() for key in KNOWN if not values.get(key)]
    if missing:
        raise ValueError(f"{' and '.join(missing)} is missing or empty")
    return Entry(
        _file_name(values[b"file"]),
        _sequence(values[b"seq"]),
        _kind(values[b"type"]),
        tuple(pair for pair in pairs if pair[0] not in KNOWN),
    )


def _file_name(name: bytes) -> bytes:
    if b"/" in name or b"\\" in name or b"\0" in name:
        raise ValueError("the file's name is a path or holds a zero byte")
    return name


def _sequence(text: bytes) -> int:
    number = _NUMBER.match(text)
    if number is None or not int(number[0]):
        raise ValueError("seq is not a number other than 0")
    return int(number[0])


def _kind(text: bytes) -> Kind:
    try:
        return Kind(text[:1].decode("latin-1"))
    except ValueError:
        raise ValueError("type is none of b, h and i") from None


def _refuse_out_of_order(entry: Entry, before: list[Entry]) -> None:
    if entry.kind is Kind.BASE and any(one.kind is Kind.BASE for one in before):
        raise ValueError("it names a second base")
    if entry.kind is Kind.INCREMENT:
        last = max((one.sequence for one in before if one.kind is Kind.INCREMENT), default=0)
        if entry.sequence <= last:
            raise ValueError(f"the sequence of the increments falls: {entry.sequence} after {last}")


def _line(entry: Entry) -> bytes:
    sequence, kind = str(entry.sequence).encode(), entry.kind.value.encode()
    known = zip(KNOWN, (entry.name, sequence, kind), strict=True)
    pairs = (
        b"%b %b" % (words.quoted(key), words.quoted(value))
        for key, value in (*known, *entry.others)
    )
    return b" ".join(pairs) + b"\n"
