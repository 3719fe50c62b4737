"""Increments as they were, and as they will be: pieces to write, and what is not applied."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from sturdis.core.aof.layout import Span
from sturdis.core.repair import regions
from sturdis.core.repair.jobs import Job, Told
from sturdis.core.repair.regions import Gap

MOST_NOTES = 1_000
"""So many commands at most are told of one by one."""

GAP_BYTES = 1 << 20
"""How much of each gap is searched for the keys that it named."""


@dataclass(frozen=True)
class Increment:
    """One file that is loaded: its name, and its bytes."""

    name: str
    text: bytes
    lost_before: bool = False
    """Whether what is loaded before it is gone or damaged."""


@dataclass(frozen=True)
class Note:
    """A command that is not applied, or not as it stands."""

    file: str
    offset: int
    command: str
    why: str


class Pieces:
    """What is written of a file, in order: parts of it, and other bytes.

    A 10 GiB file may have millions: they are held as numbers, and the other bytes as one row.
    """

    def __init__(self) -> None:
        self._bounds = array("Q")
        """Start and end of each part, and where the other bytes behind it end in `_written`."""
        self._written = bytearray()

    def keep(self, start: int, end: int) -> None:
        """Write a part of the file."""
        bounds = self._bounds
        before = bounds[-4] if len(bounds) > 3 else 0  # noqa: PLR2004  two triples
        if bounds and bounds[-2] == start and bounds[-1] == before:
            bounds[-2] = end
        elif end > start:
            bounds.extend((start, end, len(self._written)))

    def write(self, text: bytes) -> None:
        """Write other bytes."""
        if not self._bounds:
            self._bounds.extend((0, 0, 0))
        self._written += text
        self._bounds[-1] = len(self._written)

    @property
    def kept(self) -> int:
        """How many bytes of the file are written."""
        return sum(self._bounds[1::3]) - sum(self._bounds[::3])

    def is_all(self, size: int) -> bool:
        """Tell whether they are the whole file of `size` bytes, and nothing else."""
        return not self._written and self.kept == size

    def __iter__(self) -> Iterator[Span | bytes]:
        """Give each piece."""
        begun = 0
        for at in range(0, len(self._bounds), 3):
            start, end, until = self._bounds[at : at + 3]
            if end > start:
                yield Span(start, end)
            if until > begun:
                yield bytes(self._written[begun:until])
            begun = until


@dataclass(frozen=True)
class Mended:
    """One file as it will be."""

    name: str
    size: int
    """In bytes, as it was."""
    gaps: tuple[Gap, ...]
    pieces: Pieces
    units: int
    """Complete units that are kept behind the first gap."""

    @property
    def changed(self) -> bool:
        """Whether it is another file than it was."""
        return not self.pieces.is_all(self.size)

    def chunks(self, text: bytes) -> Iterator[bytes]:
        """Give its content, from that of the damaged file."""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from regions.slices(text, piece)


@dataclass
class Mending:
    """All increments, and what their kept units say."""

    files: list[Mended] = field(default_factory=list)
    told: dict[Job, Told] = field(default_factory=dict)
    """The last that units behind a gap say about each job."""
    notes: list[Note] = field(default_factory=list)
    unnoted: int = 0
    """Commands like those of `notes`, beyond the first `MOST_NOTES`."""
    explicit: int = 0
    """Commands that are written as what they did."""
    duplicates: int = 0
    """Units that stood there twice."""
    lost: list[bytes] = field(default_factory=list)
    """The beginning of each gap's bytes, up to `GAP_BYTES`."""

    @property
    def damaged(self) -> bool:
        """Whether anything is not kept, or not as it was."""
        return any(one.gaps or one.changed for one in self.files)

    def note(self, note: Note) -> None:
        """Tell of a command that is not applied."""
        if len(self.notes) < MOST_NOTES:
            self.notes.append(note)
        else:
            self.unnoted += 1
