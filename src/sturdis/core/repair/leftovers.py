"""Increments of an earlier base that are still there, where the manifest that says so is lost.

When a rewrite succeeds, its base takes the place of all increments before the one that it opened;
they are deleted a moment later. Rewrites that failed before let numbers of increments run ahead of
the base's: what is left over is told apart by when it was written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sturdis.core.repair.filesets import FileSet

APART = 1
"""Seconds by which two times have to differ: both are known to the second."""


@dataclass(frozen=True)
class Written:
    """When an increment was written to last, in seconds since 1970."""

    stamped: int | None
    """By its latest `#TS:` annotation; None: it has none."""
    modified: int
    """By the file system. A copy may have changed it, to a later time."""

    @property
    def last(self) -> int:
        """By what is known best."""
        return self.modified if self.stamped is None else self.stamped


def left_out(found: FileSet, began: int | None, written: Mapping[bytes, Written]) -> FileSet:
    """Leave out the increments that the base holds already.

    The newest increment is always loaded, and all are behind the first base there was.

    Args:
        found: A set that was made from names.
        began: When its base was begun, in seconds since 1970; None: not known.
        written: Of each increment.
    """
    earlier = found.increments[:-1]
    if found.base is None or found.base.sequence == 1 or not earlier:
        return found
    first, known = 0, len(earlier)
    if began is not None:
        older = [n for n, one in enumerate(earlier) if written[one.name].last < began - APART]
        first = older[-1] + 1 if older else 0
        known = next(
            (
                n
                for n, one in enumerate(earlier)
                if (written[one.name].stamped or 0) > began + APART
            ),
            len(earlier),
        )
    problem = found.problem
    if first:
        shown = ", ".join(_name(one.name) for one in earlier[:first])
        problem = f"{problem}; left out, as the base is newer: {shown}"
    return replace(
        found,
        increments=found.increments[first:],
        problem=problem,
        undecided=tuple(
            f"{_name(one.name)}: whether the base holds it already is not known; it is kept"
            for one in earlier[first:known]
        ),
    )


def _name(name: bytes) -> str:
    return name.decode(errors="backslashreplace")
