"""The Git work tree around a folder: where it comes from, and the folder's place in it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True)
class WorkTree:
    """A work tree as one folder in it sees it."""

    origin: str | None
    """Address of the remote `origin`, without user and password of an http address."""
    folder: str
    """The folder's path in the work tree; empty: it is the top."""


OUTSIDE = WorkTree(None, "")


def around(folder: Path) -> WorkTree:
    """Look from `folder`, which need not be there yet; `OUTSIDE` without Git or a work tree."""
    folder = folder.absolute()
    there = next(one for one in (folder, *folder.parents) if one.is_dir())
    prefix = _git(there, "rev-parse", "--show-prefix")
    if prefix is None:
        return OUTSIDE
    inside = Path(prefix) / folder.relative_to(there)
    origin = _git(there, "remote", "get-url", "origin")
    return WorkTree(_without_login(origin) if origin else None, _posix(inside))


def _git(folder: Path, *words: str) -> str | None:
    try:
        told = subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return told.stdout.rstrip("\n")


def _posix(path: Path) -> str:
    return "" if path == Path() else path.as_posix()


def _without_login(address: str) -> str:
    """Take user and password out of an http address: a token there would be in Git for all."""
    if not address.startswith(("http://", "https://")):
        return address
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
