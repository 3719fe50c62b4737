"""A note of what a server's setting was, for as long as a copy changes it.

It is locked meanwhile. Found locked, another copy of that server is under way; found unlocked, the
copy that wrote it was killed and could not put the setting back.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from sturdis.core.errors import DataError


@dataclass(frozen=True)
class CopyNote:
    """A note that this program holds."""

    path: Path
    before: str
    """What the setting was before the first copy changed it."""

    def remove(self) -> None:
        """Take the note away: the setting is what it was."""
        self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def held(run_id: str, setting: str, *, told: str) -> Iterator[CopyNote]:
    """Hold the note of the server that runs as `run_id` while the block lasts.

    It stays until it is removed: what a killed copy left counts, and else `setting`.

    Args:
        run_id: Which run of which server; one that is started again has forgotten the setting.
        setting: What the setting is now.
        told: The server, as told to people.

    Raises:
        DataError: `data.locked` or `data.not_writable`.
    """
    path = platformdirs.user_state_path("sturdis") / "copying" / run_id
    try:
        opened = _opened(path)
    except BlockingIOError as error:
        raise DataError(
            "data.locked",
            f"another copy of {told} is under way",
            why=f"another process holds {path}",
            do="wait for it, then copy again",
        ) from error
    except OSError as error:
        raise _not_writable(path, error) from error
    try:
        yield CopyNote(path, _read_or_written(opened, path, setting))
    finally:
        os.close(opened)


def _opened(path: Path) -> int:
    """Open and lock the file `path`; one that its holder removed meanwhile is made anew.

    Raises:
        OSError: It cannot be written; BlockingIOError: another holds it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(opened)
            raise
        if os.fstat(opened).st_nlink:
            return opened
        os.close(opened)


def _read_or_written(opened: int, path: Path, setting: str) -> str:
    if left := os.pread(opened, 16, 0).decode():
        return left
    try:
        os.pwrite(opened, setting.encode(), 0)
    except OSError as error:
        path.unlink()
        raise _not_writable(path, error) from error
    return setting


def _not_writable(path: Path, error: OSError) -> DataError:
    return DataError(
        "data.not_writable",
        f"no note can be left in {path.parent}",
        why=f"{error.strerror}; without it, what a killed copy leaves set cannot be put back",
        do="make room there and let this user write there, then copy again",
    )
