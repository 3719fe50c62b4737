"""The Git work tree around a folder: where it comes from, and the folder's place in it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from sturdis.core.errors import SpecError

SECONDS = 20.0
"""Longest wait for Git, which reads a few files."""

OF_ANOTHER = ("GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE")
"""Variables that a hook of Git has, and that would lead to its work tree from everywhere."""

NO_WORK_TREE = "not a git repository"
"""How Git says, in English, that there is none."""


@dataclass(frozen=True)
class WorkTree:
    """A work tree as one folder in it sees it."""

    origin: str | None
    """Address of the remote `origin`, without user and password of an http address."""
    folder: str
    """The folder's path in the work tree; empty: it is the top."""


OUTSIDE = WorkTree(None, "")


def around(folder: Path) -> WorkTree:
    """Look from `folder`, which need not be there yet; `OUTSIDE` without Git or a work tree.

    Raises:
        SpecError: `spec.work_tree`: there is one, and Git does not tell of it.
    """
    try:
        folder = folder.resolve()
        there = next(one for one in (folder, *folder.parents) if one.is_dir())
    except (OSError, RuntimeError):  # a loop of links, a name too long: told by who writes there
        return OUTSIDE
    prefix = _git(there, "rev-parse", "--show-prefix")
    if prefix is None:
        return OUTSIDE
    inside = Path(prefix) / folder.relative_to(there)
    remotes = (_git(there, "remote") or "").split()
    origin = _git(there, "remote", "get-url", "origin") if "origin" in remotes else None
    return WorkTree(_without_login(origin) if origin else None, _posix(inside))


def _git(folder: Path, *words: str) -> str | None:
    """Give what Git says; None: there is no work tree, or no Git."""
    environ = {key: value for key, value in os.environ.items() if key not in OF_ANOTHER}
    try:
        told = subprocess.run(
            ["git", "-C", folder, *words], env=environ | {"LC_ALL": "C"}, capture_output=True,
            text=True, errors="surrogateescape", timeout=SECONDS, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _untold(folder, str(error)) from error
    if told.returncode == 0:
        return told.stdout.rstrip("\n")
    if NO_WORK_TREE in told.stderr:
        return None
    raise _untold(folder, told.stderr.strip().partition("\n")[0])


def _untold(folder: Path, why: str) -> SpecError:
    return SpecError(
        "spec.work_tree",
        f"Git does not tell of the work tree around {str(folder)!r}",
        why=why,
        do="git status there says how to mend it; the Application needs the folder's place in it",
    )


def _posix(path: Path) -> str:
    return "" if path == Path() else path.as_posix()


def _without_login(address: str) -> str:
    """Take user and password out of an http address: a token there would be in Git for all."""
    if not address.startswith(("http://", "https://")):
        return address
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
