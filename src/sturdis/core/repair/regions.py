"""Which parts of one increment are whole: behind a damage too, found by resynchronising.

Behind a byte that does not fit, the next place is looked for from which complete units follow one
another. Arguments that are whole are passed over on the way, so that a command inside a job's data
is not taken for one of the file. docs/adr/0052.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from sturdis.core.aof import resp
from sturdis.core.aof import scan as scans
from sturdis.core.aof.layout import Span
from sturdis.core.aof.scan import Run, Tail
from sturdis.core.repair import duplicates
from sturdis.core.repair.commands import EXEC, Others

Text = bytes
"""A file's bytes: in memory, or an `mmap`, which is sliced and searched in the same way."""

CHUNK = 1 << 20
ENOUGH_UNITS = 8
"""So many units in a row are no accident, whatever stands behind them."""

_PLACE = re.compile(
    rb"\*[1-9][0-9]{0,6}\r\n\$[1-9][0-9]?\r\n[A-Za-z]|\$(?P<size>[0-9]{1,9})\r\n|#TS:"
)
_HEAD = re.compile(rb"\*[1-9][0-9]{0,9}\r\n|#[^\n\0]{0,1021}\n")
_NEXT = re.compile(rb"\$[0-9]{1,9}\r\n|\*[0-9]{1,9}\r\n|#|\Z")
_MULTI = re.compile(rb"\*1\r\n\$5\r\n(?i:MULTI)\r\n")
_OF_MULTI = re.compile(rb"\*1\r\n|\$5\r\n|(?i:MULT|ULTI)")


class Kind(Enum):
    """What a gap was found to be."""

    TORN = "the beginning of a command"
    OPEN = "a transaction without its EXEC"
    NULS = "zero bytes"
    CORRUPT = "bytes that are no command, or not a whole one"
    DUPLICATE = "bytes that stand there twice"


@dataclass(frozen=True)
class Gap:
    """Bytes that are not kept."""

    start: int
    end: int
    kind: Kind
    fault: int
    """Where the first byte stands that does not fit."""

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.end - self.start


@dataclass(frozen=True)
class Regions:
    """A file, parted."""

    size: int
    kept: tuple[Span, ...]
    """Complete units, in order; the first begins at 0, and may be empty."""
    gaps: tuple[Gap, ...]


def part(text: Text, arities: Mapping[bytes, int]) -> Regions:
    """Part an increment into what is whole and what is not."""
    size = len(text)
    reading = _Reading(text, arities, Others(text, arities))
    run = reading.run(0)
    kept = [Span(0, run.scan.safe_end)]
    gaps: list[Gap] = []
    while (end := kept[-1].end) < size:
        search = _Search(reading, end, run)
        found = search.next()
        start, run = found or (size, run)
        kind = _kind(text, Span(end, start), search.first)
        gaps.append(Gap(end, start, kind, search.fault))
        if found is None:
            break
        again = duplicates.end_of_copy(text, end, start, kept[-1].start)
        until = start + run.scan.safe_end
        if again and again <= until:
            gaps.append(Gap(start, again, Kind.DUPLICATE, start))
            start = again
        kept.append(Span(start, until))
    return Regions(size, tuple(kept), tuple(gaps))


@dataclass(frozen=True)
class _Reading:
    """A file, and which commands may stand in it."""

    text: Text
    arities: Mapping[bytes, int]
    others: Others

    def run(self, start: int) -> Run:
        """Read from an offset to the first byte that does not fit."""
        run = scans.run(_chunks(self.text, start), self.arities, self.others)
        end = start + run.scan.safe_end
        if run.scan.tail is not Tail.CORRUPT or run.in_transaction or start + run.command > end:
            return run
        damaged = self.others.damaged_before(start, end)
        if damaged is None:
            return run
        at = damaged - start
        return replace(run, scan=replace(run.scan, safe_end=at, fault=at), command=at)


def _chunks(text: Text, start: int) -> Iterator[bytes]:
    """Give the bytes from `start`: few at first, as most places looked at hold no unit."""
    step = CHUNK if start == 0 else 1 << 12
    while start < len(text):
        yield text[start : start + step]
        start += step
        step = min(CHUNK, step * 4)


def slices(text: Text, span: Span) -> Iterator[bytes]:
    """Give the bytes of a span, `CHUNK` at a time."""
    for at in range(span.start, span.end, CHUNK):
        yield text[at : min(at + CHUNK, span.end)]


def _kind(text: Text, gap: Span, run: Run) -> Kind:
    if not any(some.strip(b"\0") for some in slices(text, gap)):
        return Kind.NULS
    if gap.end == len(text):
        return {
            Tail.TORN_COMMAND: Kind.TORN, Tail.OPEN_TRANSACTION: Kind.OPEN, Tail.NULS: Kind.NULS,
        }.get(run.scan.tail, Kind.CORRUPT)  # fmt: skip
    return Kind.CORRUPT


class _Search:
    """The next units behind the damage that ended `run`, whose last unit ends at `end`."""

    def __init__(self, reading: _Reading, end: int, run: Run) -> None:
        self._reading = reading
        self._text = reading.text
        self._end = end
        self.first = run
        base = end - run.scan.safe_end
        self.fault = base + run.scan.fault
        self._command = base + run.command
        self._closed: int | None = None
        """Behind the last EXEC of a transaction that the damage hit."""

    def next(self) -> tuple[int, Run] | None:
        """Give where units follow, and how far; None: nowhere."""
        at = self._begin()
        while place := _PLACE.search(self._text, at):
            at = place.start()
            if place["size"] is not None:
                at = self._behind_argument(place) or at + 1
                continue
            run = self._reading.run(at)
            behind = at + run.scan.fault
            if run.scan.tail is Tail.CORRUPT and self._is_rest(at, run):
                at = self._closed = self._behind_exec(behind)
            elif self._is_whole(at, run):
                return at, run
            else:
                at += 1
        return None

    def _begin(self) -> int:
        """Give from where on to look: commands before the damage belong to its transaction."""
        text, command = self._text, max(self._end, self._command)
        if exec_ := EXEC.match(text, command):
            self._closed = exec_.end()
            return self._closed
        if _MULTI.match(text, command) and self.first.in_transaction:
            return command
        return command + 1

    def _behind_argument(self, place: re.Match[bytes]) -> int | None:
        """Give where a whole argument ends; None: it is none."""
        end = place.end() + int(place["size"])
        text = self._text
        is_one = text[end : end + 2] == resp.CRLF and _NEXT.match(text, end + 2)
        return end + 2 if is_one else None

    def _is_rest(self, start: int, run: Run) -> bool:
        """Tell whether what follows is the rest of a transaction: an EXEC, and no MULTI before."""
        stopped = start + run.command
        return bool(EXEC.match(self._text, stopped)) and not self._has_multi(start, stopped)

    def _behind_exec(self, at: int) -> int:
        found = EXEC.search(self._text, at)
        return found.end() if found else at + 1

    def _has_multi(self, start: int, end: int) -> bool:
        """Tell whether a transaction begins between units from `start` to `end`."""
        return _MULTI.search(self._text, start, end) is not None

    def _is_whole(self, start: int, run: Run) -> bool:
        """Tell whether units of the file follow from `start`, not some that its data holds."""
        end = start + run.scan.safe_end
        if end == start:
            return False
        if run.scan.tail is not Tail.CORRUPT:
            return True
        if not self._has_multi(start, end) and self._may_be_inside(start):
            return False
        if _HEAD.match(self._text, end):
            return True
        behind = self._text[end : end + 3]
        return not behind.startswith(b"\r\n") and self._has_units(start, end)

    def _may_be_inside(self, start: int) -> bool:
        """Tell whether commands behind this gap may follow a MULTI that it holds."""
        if self._closed is None and self.first.in_transaction:
            return True
        since = self._end if self._closed is None else self._closed
        return _OF_MULTI.search(self._text, since, start) is not None

    def _has_units(self, start: int, end: int) -> bool:
        text = self._text[start : min(end, start + CHUNK)]
        return len(re.findall(rb"(?:\A|\r\n)(?=\*[1-9])", text)) >= ENOUGH_UNITS
