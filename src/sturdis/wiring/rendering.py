"""`render`, joined with the folder it writes and the Git work tree around it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sturdis.core.errors import SpecError
from sturdis.wiring.spec_files import load_spec_file

if TYPE_CHECKING:
    from sturdis.core.cluster import Manifest
    from sturdis.core.render.argocd import Source
    from sturdis.core.render.writing import RenderPlan
    from sturdis.core.spec.file import SpecFile


def rendered_objects(
    spec_file: Path | None = None, environment: str | None = None
) -> tuple["Manifest", ...]:
    """Give the objects of one deployment: those of `environment`, or of the base.

    Raises:
        SpecError: The spec cannot be read, or has problems.
        UsageError: `usage`: there is no such environment.
    """
    from sturdis.core.render import objects

    spec = load_spec_file(spec_file).deployment(environment).spec
    return tuple(objects.deployment(spec).values())


def render(
    folder: Path,
    *,
    spec_file: Path | None = None,
    environment: str | None = None,
    agree: Callable[["RenderPlan"], None] | None = None,
) -> "RenderPlan":
    """Render the tree of a spec into `folder`, and tell what that changed.

    Args:
        folder: Where the tree begins.
        spec_file: The spec; None: sturdis.yaml in this folder, else the defaults.
        environment: What the Application deploys; None: what the spec says.
        agree: Called before a file is lost that somebody edited, or a server is written that could
            not read the data of the one before; what it raises ends the verb. None: nothing is
            written at all.

    Raises:
        SpecError: The spec cannot be read, has problems, or no repository is known; or Git refuses
            to tell of the work tree.
        UsageError: `usage`: there is no such environment.
        OutputError: `output.file`.
    """
    from sturdis.adapters import tree_folder
    from sturdis.core.render import tree as trees
    from sturdis.flows import render as flow

    file = load_spec_file(spec_file)
    if environment is not None:
        file = _deploying(file, environment)
    place = tree_folder.TreeFolder(folder)
    rendered = trees.tree(file, _source(file, folder))
    plan = flow.look(str(folder), place, rendered, trees.sums_path(file))
    if agree is not None:
        flow.write(place, plan, agree)
    return plan


def _deploying(file: "SpecFile", environment: str) -> "SpecFile":
    file.deployment(environment)  # refused where there is none
    spec = file.base.spec
    chosen = msgspec.structs.replace(spec.gitops, environment=environment)
    return replace(file, base=replace(file.base, spec=msgspec.structs.replace(spec, gitops=chosen)))


def _source(file: "SpecFile", folder: Path) -> "Source":
    from sturdis.adapters import git
    from sturdis.core.render.argocd import Source

    found = git.around(folder)
    address = file.base.spec.gitops.repo_url or found.origin
    if address is None:
        raise SpecError(
            "spec.no_repository",
            "Argo CD would not know which Git repository to read",
            why=f"{file.source} has no gitops.repoURL, and {str(folder)!r} is in no work tree that "
            "has an origin",
            do="write gitops: {repoURL: ADDRESS} into sturdis.yaml, or git remote add origin "
            "ADDRESS; sturdis render --stdout needs neither",
        )
    return Source(address, found.folder)
