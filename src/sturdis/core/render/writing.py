"""What rendering does to a folder: what is new, replaced, removed, and what somebody edited."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from sturdis.core.render import moves
from sturdis.core.render import tree as trees
from sturdis.core.render.tree import Tree
from sturdis.core.upgrade import Verdict


class Change(Enum):
    """What becomes of a file."""

    NEW = "new"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True)
class FileChange:
    """One file that is not as rendered."""

    path: str
    """In the tree."""
    change: Change
    old: str | None
    new: str | None
    edited: bool
    """Whether what is there was not rendered by Sturdis: written or edited by somebody."""


@dataclass(frozen=True)
class RenderPlan:
    """What is done to a folder."""

    folder: str
    changes: tuple[FileChange, ...]
    sums_path: str
    sums: str
    problems: tuple[str, ...] = ()
    """Servers that could not read what those of the tree so far have written."""
    notes: tuple[str, ...] = ()
    """Servers after which there is no way back, or of which it is not known."""

    @property
    def edited(self) -> tuple[str, ...]:
        """Name the files whose content would be lost."""
        return tuple(one.path for one in self.changes if one.edited)

    def __str__(self) -> str:
        lines = (
            f"{one.change.value:<9}{one.path}{_edited(one)}"
            for one in self.changes
            if one.path != self.sums_path
        )
        problems = (f"problem  {one}" for one in self.problems)
        return "\n".join((*lines, *problems, *(f"note     {one}" for one in self.notes)))


def _edited(change: FileChange) -> str:
    return "    not as sturdis rendered it: what is there would be lost" if change.edited else ""


def plan(folder: str, rendered: Tree, sums_path: str, found: Mapping[str, str]) -> RenderPlan:
    """Decide what rendering does.

    Args:
        folder: As it is told to people.
        rendered: What is to be there.
        sums_path: Where the sums of what was rendered stand.
        found: The text of each file that is there, of those rendered now and before.
    """
    before = trees.read_sums(found.get(sums_path, ""))
    text = trees.sums(rendered)
    wanted = {**rendered, sums_path: text}
    changes = [
        _change(path, found.get(path), wanted.get(path), before.get(path), sums_path)
        for path in sorted(wanted.keys() | before.keys())
        if found.get(path) != wanted.get(path)
    ]
    problems, notes = _moves(sums_path, found, wanted)
    return RenderPlan(folder, tuple(changes), sums_path, text, problems, notes)


def _moves(
    sums_path: str, found: Mapping[str, str], wanted: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the problems and the notes of servers that change."""
    problems: list[str] = []
    notes: list[str] = []
    for name, move in moves.moves(sums_path.rpartition("/")[0], found, wanted):
        told = problems if move.verdict is Verdict.FORBIDDEN else notes
        told += [f"{name}: {move.why}"] if move.why else []
    return tuple(problems), tuple(notes)


def paths(rendered: Tree, sums_path: str, sums: str) -> set[str]:
    """Name the files that matter: those rendered now, and before as `sums` says."""
    return {*rendered, sums_path, *trees.read_sums(sums)}


def _change(
    path: str, old: str | None, new: str | None, recorded: str | None, sums_path: str
) -> FileChange:
    if old is None:
        return FileChange(path, Change.NEW, None, new, edited=False)
    edited = path != sums_path and trees.digest(old) != recorded
    return FileChange(path, Change.REPLACED if new else Change.REMOVED, old, new, edited=edited)


def difference(plan: RenderPlan) -> Iterator[str]:
    """Give the unified diff from what is there to what is rendered, line by line."""
    for one in plan.changes:
        if one.path != plan.sums_path:
            yield from difflib.unified_diff(
                (one.old or "").splitlines(),
                (one.new or "").splitlines(),
                f"a/{one.path}" if one.old is not None else "/dev/null",
                f"b/{one.path}" if one.new is not None else "/dev/null",
                lineterm="",
            )
