"""How far an append-only file is whole, and what stands behind that: read once, in chunks.

The safe end is the end of the last complete unit: an annotation, a command, or a transaction from
MULTI to EXEC. A file cut there loads, and so does what is appended to it later. Cut elsewhere, a
server may take later writes for part of the open transaction: docs/adr/0018.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from sturdis.core.aof import resp

FAST_FROM = 1 << 20
"""Size in bytes from which compiling the fast expression pays."""


NAME_BYTES = 20
"""Enough of a command's name to tell it apart."""


class Tail(Enum):
    """What stands behind the safe end."""

    NONE = "nothing"
    TORN_COMMAND = "the beginning of a command"
    OPEN_TRANSACTION = "a transaction without its EXEC"
    NULS = "zero bytes, as a power cut leaves them"
    CORRUPT = "bytes that an interrupted write does not explain"


@dataclass(frozen=True)
class Scan:
    """What one file was found to be. Offsets are in bytes from its beginning."""

    size: int
    safe_end: int
    tail: Tail
    fault: int
    """Where the first byte stands that does not fit; the size, where the file merely breaks off."""

    @property
    def excess(self) -> int:
        """How many bytes stand behind the safe end."""
        return self.size - self.safe_end


LONGEST = 512 << 20
"""Longest argument that servers take unless `proto-max-bulk-len` says otherwise, in bytes."""


@dataclass(frozen=True)
class Run:
    """How far units follow one another, each of its commands one that a server loads."""

    scan: Scan
    command: int
    """Offset of the command at hand where it stopped."""
    in_transaction: bool
    """Whether that stands inside a transaction."""


def run(
    chunks: Iterable[bytes],
    arities: Mapping[bytes, int],
    is_other: Callable[[bytes], bool] = lambda _name: False,
) -> Run:
    """Judge bytes as `scan` does, and stop at the first that do not fit.

    Args:
        chunks: The bytes, of any size each.
        arities: Name of each command, in capitals, to its words: so many, or at least that where
            negative. An argument of more than `LONGEST` does not fit.
        is_other: Tells whether a name that `arities` lacks, in capitals and up to `NAME_BYTES` of
            it, is that of a command all the same.
    """
    scanner = _Scanner(arities, is_other)
    for chunk in chunks:
        scanner.feed(chunk)
        if scanner.stopped:
            break
    return Run(scanner.judge(), scanner.command, scanner.in_transaction)


def scan(chunks: Iterable[bytes]) -> Scan:
    """Judge a file that comes in chunks of any size.

    Two chunks are held in memory, or the longest argument where that is longer.
    """
    scanner = _Scanner()
    for chunk in chunks:
        scanner.feed(chunk)
    return scanner.judge()


class _FaultError(Exception):
    """A byte that does not fit, at an offset of the file."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class _ShortError(Exception):
    """The bytes at hand end inside a line or an argument; so many are needed from its start."""

    def __init__(self, wanted: int) -> None:
        super().__init__(wanted)
        self.wanted = wanted


class _Scanner:
    def __init__(
        self,
        arities: Mapping[bytes, int] | None = None,
        is_other: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._arities = arities
        self._is_other = is_other
        self._short: re.Pattern[bytes] | None = None
        self._size = 0
        self._start = 0
        """Offset of the held bytes; what is before them has been judged."""
        self._held: list[bytes] = []
        self._wanted = 1
        self.command = 0
        """Offset of the command at hand; then its arguments, those it lacks, and its name."""
        self._count = 0
        self._missing = 0
        self._name: bytes | None = None
        self.in_transaction = False
        self._stamped: int | None = None
        """Offset of the first annotation inside the transaction."""
        self._safe_end = 0
        self._fault: int | None = None
        self._only_nuls = True
        """Whether nothing but zero bytes was seen from the fault on."""

    @property
    def stopped(self) -> bool:
        """Whether a byte was met that does not fit."""
        return self._fault is not None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        self._size += len(chunk)
        if self._fault is not None:
            self._only_nuls = self._only_nuls and not chunk.strip(b"\0")
            return
        self._held.append(chunk)
        if self._size - self._start >= self._wanted:
            self._read(b"".join(self._held))

    def _read(self, held: bytes) -> None:
        at = 0
        try:
            while True:
                if self._missing:
                    at = self._arguments(held, at)
                    self._end_command(held, at)
                else:
                    at = self._short_commands(held, at)
                    at = self._beginning(held, at)
        except _ShortError as short:
            self._held = [held[at:]]
            self._wanted = short.wanted
            self._start += at
        except _FaultError as fault:
            self._held = []
            self._fault = fault.at
            self._only_nuls = not held[max(0, fault.at - self._start) :].strip(b"\0")

    def _short_commands(self, held: bytes, at: int) -> int:
        if self._size < FAST_FROM:
            return at
        if self._short is None:
            names = None if self._arities is None else tuple(self._arities.items())
            self._short = resp.short_commands(names)
        match = self._short.match(held, at)
        end = at if match is None else match.end()
        if end > at:
            self._complete(end)
        return end

    def _beginning(self, held: bytes, at: int) -> int:
        """Pass over an annotation, or what a command begins with."""
        if held[at : at + 1] == b"#":
            end = self._line(resp.ANNOTATION, held, at).end()
            if self.in_transaction and self._stamped is None:
                self._stamped = self._start + at
            self._complete(end)
            return end
        count = self._line(resp.COUNT, held, at)
        self.command, self._count, self._name = self._start + at, int(count[1]), None
        self._missing = self._count
        return count.end()

    def _arguments(self, held: bytes, at: int) -> int:
        """Pass over those arguments of the command at hand that are whole."""
        missing, length_at = self._missing, resp.LENGTH.match
        while missing and (length := length_at(held, at)):
            end = length.end() + int(length[1])
            if held[end : end + 2] != resp.CRLF:
                break
            if self._name is None:
                shown = min(end, length.end() + NAME_BYTES)
                self._name = held[length.end() : shown].upper()
            at = end + 2
            missing -= 1
        self._missing = missing
        return at

    def _end_command(self, held: bytes, at: int) -> None:
        if self._missing:
            length = self._line(resp.LENGTH, held, at)
            end = length.end() + int(length[1])
            behind = held[end : end + 2]
            if self._arities is not None and int(length[1]) > LONGEST:
                raise _FaultError(self._start + at)
            if resp.CRLF.startswith(behind):
                raise _ShortError(end + 2 - at)
            raise _FaultError(self._start + end + (behind[:1] == b"\r"))
        if self._arities is not None and not self._fits(self._arities):
            raise _FaultError(self.command)
        if self._name in (b"MULTI", b"EXEC"):
            if self.in_transaction == (self._name == b"MULTI"):
                raise _FaultError(self.command)
            self.in_transaction = not self.in_transaction
            self._stamped = None
        self._complete(at)

    def _fits(self, arities: Mapping[bytes, int]) -> bool:
        name = self._name or b""
        words = arities.get(name)
        if words is None:
            return self._is_other is not None and self._is_other(name)
        return self._count == words or self._count >= -words > 0

    def _complete(self, end: int) -> None:
        if not self.in_transaction:
            self._safe_end = self._start + end

    def _line(self, kind: re.Pattern[bytes], held: bytes, at: int) -> re.Match[bytes]:
        match = kind.match(held, at)
        if match is not None:
            return match
        beginning = resp.BEGINNINGS[kind].match(held, at)
        fits = at if beginning is None else beginning.end()
        if fits == len(held):
            raise _ShortError(fits - at + 1)
        raise _FaultError(self._start + fits)

    def judge(self) -> Scan:
        """Say what the file was found to be, when all of it was fed."""
        odd = self._out_of_place()
        if odd is not None:
            return Scan(self._size, self._safe_end, Tail.CORRUPT, odd)
        if self._fault is not None:
            return Scan(self._size, self._safe_end, Tail.NULS, self._fault)
        tail = Tail.OPEN_TRANSACTION if self.in_transaction else Tail.TORN_COMMAND
        if self._safe_end == self._size:
            tail = Tail.NONE
        return Scan(self._size, self._safe_end, tail, self._size)

    def _out_of_place(self) -> int | None:
        """Find what an interrupted write, always the last one, cannot have left."""
        if self._stamped is not None:  # a transaction is written at once, within one second
            return self._stamped
        if self._fault is not None:
            return None if self._only_nuls else self._fault
        inside = resp.COMMAND_INSIDE.search(b"".join(self._held)) if self._missing else None
        return None if inside is None else self._start + inside.start() + len(resp.CRLF)
