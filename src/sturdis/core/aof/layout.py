"""Where the units of a whole increment begin and end, and which of its bytes say so."""

from collections.abc import Iterator
from dataclasses import dataclass

from sturdis.core.aof import resp

MULTI, EXEC = b"*1\r\n$5\r\nMULTI\r\n", b"*1\r\n$4\r\nEXEC\r\n"


@dataclass(frozen=True)
class Span:
    """Bytes of a file, from `start` on and before `end`."""

    start: int
    end: int


@dataclass(frozen=True)
class Layout:
    """An increment, as far as it is whole."""

    units: tuple[Span, ...]
    """Commands and transactions, in order; annotations are left out."""
    frame: tuple[Span, ...]
    """What says how many arguments follow, how long each is, and where it ends."""

    def unit_at(self, offset: int) -> Span | None:
        """Give the unit that holds the byte at `offset`; None: none does."""
        return next((one for one in self.units if one.start <= offset < one.end), None)

    def frame_bytes(self, start: int) -> list[int]:
        """Give the offsets of all bytes of the frame from `start` on."""
        return [at for one in self.frame for at in range(one.start, one.end) if at >= start]


def layout(content: bytes) -> Layout:
    """Read an increment, as far as it is whole."""
    units: list[Span] = []
    frame: list[Span] = []
    at = 0
    begun: int | None = None
    while (end := _behind(content, at, frame)) is not None:
        command = content[at:end]
        if command == MULTI:
            begun = at
        elif command == EXEC and begun is not None:
            units.append(Span(begun, end))
            begun = None
        elif begun is None and command[:1] == b"*":
            units.append(Span(at, end))
        at = end
    return Layout(tuple(units), tuple(frame))


def _behind(content: bytes, at: int, frame: list[Span]) -> int | None:
    """Give where the command or annotation at `at` ends, and add its frame; None: it is not whole.

    What is not whole adds nothing to the frame.
    """
    if annotation := resp.ANNOTATION.match(content, at):
        return annotation.end()
    found = list(_frame_of_command(content, at))
    if not found or found[-1] is None:
        return None
    frame.extend(span for span in found if span)
    return max(span.end for span in found if span)


def _frame_of_command(content: bytes, at: int) -> Iterator[Span | None]:
    count = resp.COUNT.match(content, at)
    if count is None:
        return
    yield Span(at, count.end())
    at = count.end()
    for _argument in range(int(count[1])):
        length = resp.LENGTH.match(content, at)
        end = length.end() + int(length[1]) if length else 0
        if length is None or content[end : end + 2] != resp.CRLF:
            yield None
            return
        yield Span(at, length.end())
        yield Span(end, end + 2)
        at = end + 2
