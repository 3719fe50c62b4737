"""`render`: compare a folder with what the spec says, and write the difference."""

from collections.abc import Callable, Iterable
from typing import Protocol

from sturdis.core.render import writing
from sturdis.core.render.tree import Tree
from sturdis.core.render.writing import FileChange, RenderPlan


class Folder(Protocol):
    """A folder that a tree is rendered into."""

    def read(self, paths: Iterable[str]) -> dict[str, str]:
        """Give the text of each file that is there."""

    def change(self, one: FileChange) -> None:
        """Make one file as planned."""


def look(named: str, folder: Folder, rendered: Tree, sums_path: str) -> RenderPlan:
    """Decide what rendering does to `folder`, which people know as `named`.

    Raises:
        OutputError: `output.file`: it cannot be read.
    """
    sums = folder.read([sums_path]).get(sums_path, "")
    found = folder.read(writing.paths(rendered, sums_path, sums))
    return writing.plan(named, rendered, sums_path, found)


def write(folder: Folder, plan: RenderPlan, agree: Callable[[RenderPlan], None]) -> None:
    """Write what is planned, once what somebody edited or what is a problem is agreed to.

    The sums come last: interrupted, what was written is found as it should be by the next run.

    Args:
        folder: Where.
        plan: What `look` gave.
        agree: Called where an edited file would be lost, or a server could not read the data of
            the one before; what it raises ends the verb.

    Raises:
        OutputError: `output.file`: it cannot be written.
    """
    if plan.edited or plan.problems:
        agree(plan)
    for one in sorted(plan.changes, key=lambda one: one.path == plan.sums_path):
        folder.change(one)
