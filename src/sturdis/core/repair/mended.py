"""Increments as they were, and as they will be: pieces to write, and what is not applied."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sturdis.core.repair import regions
from sturdis.core.repair.jobs import Job, Told
from sturdis.core.repair.regions import Gap, Span

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


@dataclass(frozen=True)
class Mended:
    """One file as it will be."""

    name: str
    size: int
    """In bytes, as it was."""
    gaps: tuple[Gap, ...]
    pieces: tuple[Span | bytes, ...]
    """What is written, in order: parts of the file, or other bytes."""
    units: int
    """Complete units that are kept behind the first gap."""

    @property
    def changed(self) -> bool:
        """Whether it is another file than it was."""
        return self.pieces != (Span(0, self.size),)

    def chunks(self, text: bytes) -> Iterator[bytes]:
        """Give its content, from that of the damaged file."""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            for at in range(piece.start, piece.end, regions.CHUNK):
                yield text[at : min(at + regions.CHUNK, piece.end)]


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
