"""The plan of a repair, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from sturdis.core.repair.mended import Note
from sturdis.core.repair.regions import Gap
from sturdis.core.repair.resolving import Resolution

Counts = Mapping[str, Mapping[str, int]]
"""Queue to state to jobs."""


class Base(Enum):
    """What the first file of the set was found to be."""

    NONE = "there is none, and none is missing"
    WHOLE = "whole"
    MENDED = "mended as an increment is"
    DAMAGED = "damaged, and left out: an RDB is whole or of no use"
    LOST = "lost"

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is to be mended."""
        return self in (Base.NONE, Base.WHOLE)


@dataclass(frozen=True)
class FilePlan:
    """What happens to one file."""

    name: str
    becomes: str
    """Its name from then on; empty: it is left out."""
    gaps: tuple[Gap, ...]
    kept: int
    """Bytes of it that stay."""
    units: int
    """Complete units that are kept behind its first gap, or behind a loss before it."""
    added: int
    """Bytes that are written beside them."""


@dataclass(frozen=True)
class Plan:
    """What a repair does, proven by loading its result."""

    folder: str
    server: str
    """What it was proven with."""
    keep: str
    """Where the copy of the folder goes."""
    manifest: str
    """What was found wrong with the manifest; empty: nothing."""
    base: Base
    files: tuple[FilePlan, ...]
    resolutions: tuple[Resolution, ...]
    explicit: int
    """Commands written as what they did, because they took what stood first in a list."""
    duplicates: int
    """Units that stood there twice."""
    notes: tuple[Note, ...]
    """Commands that are not applied: what they do depends on what is lost."""
    unnoted: int
    undecided: tuple[str, ...]
    """Jobs, and files, that are left to people."""
    signs: tuple[str, ...]
    """What the jobs show of damage, where all that is whole is kept."""
    refused: tuple[str, ...]
    """What the server said of commands that it did not take when it loaded them."""
    before: Counts
    """Jobs after a plain safe cut."""
    after: Counts
    keys_before: Mapping[int, int]
    keys_after: Mapping[int, int]
    """Keys in each database."""

    @property
    def is_needed(self) -> bool:
        """Whether anything is to be repaired."""
        return bool(
            self.manifest
            or not self.base.is_whole
            or self.resolutions
            or self.duplicates
            or any(one.gaps for one in self.files)
        )


@dataclass(frozen=True)
class Repaired:
    """What came of it."""

    plan: Plan
    done: bool
    finished: bool = False
    """Whether an earlier repair was finished, which had been cut short behind its last change."""
