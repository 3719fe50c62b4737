"""`repair`: look at a damaged folder, plan, prove the result on a server, ask, copy, swap."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sturdis.core.aof.manifest import Manifest
from sturdis.core.repair.drafting import Parts
from sturdis.core.repair.plan import Plan, Repaired
from sturdis.flows.repair_planning import Means, Place, Planning, Tell


class Folder(Place, Protocol):
    """The folder that is repaired."""

    def hold(self) -> None:
        """Keep servers away."""

    def is_unsettled(self) -> bool:
        """Tell whether an earlier repair was cut short."""

    def settle(self) -> bool:
        """Finish an earlier repair, or take it back; whether it was finished."""

    def require_room(self, more: int) -> None:
        """Make sure that the copy fits, and so many bytes more."""

    def copy_whole(self, tell: Tell) -> None:
        """Copy all of it."""

    def swap(self, manifest: Manifest, new: Mapping[bytes, Path], tell: Tell) -> None:
        """Give it its new set."""


@dataclass(frozen=True)
class Telling:
    """Whom to ask, and whom to tell."""

    agree: Callable[[Plan], bool]
    tell: Tell
    dry_run: bool


def repair(folder: Folder, parts: Parts, means: Means, telling: Telling) -> Repaired:
    """Mend the append-only file in `folder`, which holds `parts`.

    Raises:
        DataError: It cannot be mended or changed, and nothing was; or the result is not proven.
    """
    proven = Planning(folder, parts, means, telling.tell).plan()
    if telling.dry_run:
        return Repaired(proven.plan, done=False)
    if not proven.plan.is_needed:
        return Repaired(proven.plan, done=False, finished=_settled(folder))
    if not telling.agree(proven.plan):
        return Repaired(proven.plan, done=False)
    folder.require_room(sum(one.stat().st_size for one in proven.new.values()))
    folder.hold()
    folder.settle()
    folder.copy_whole(telling.tell)
    folder.swap(proven.manifest, proven.new, telling.tell)
    return Repaired(proven.plan, done=True)


def _settled(folder: Folder) -> bool:
    """Finish an earlier repair where one was cut short."""
    if not folder.is_unsettled():
        return False
    folder.hold()
    return folder.settle()
