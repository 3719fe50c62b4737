"""Which `up` run on this machine, so that other verbs find them.

Each `up` keeps a file below the user's state folder and holds a flock(2) on it: a file that can be
locked belongs to an `up` that is gone, however it went.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import platformdirs

from sturdis.core.local import Running


def folder() -> Path:
    """Where running `up` keep their files."""
    return platformdirs.user_state_path("sturdis") / "running"


@contextlib.contextmanager
def announced(running: Running) -> Iterator[None]:
    """Let other verbs find `running` for as long as the block lasts.

    Raises:
        OSError: The state folder cannot be written.
    """
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder() / f"{running.at.port}-{os.getpid()}.json"
    beside = path.with_suffix(".new")
    with beside.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.write(msgspec.json.encode(running))
        file.flush()
        beside.replace(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def find() -> tuple[Running, ...]:
    """Give the `up` that run now, by port; files of those that are gone are removed."""
    try:
        paths = sorted(folder().glob("*.json"))
    except OSError:  # not ours to read: an `up` of this user would have been
        return ()
    found = (_read(path) for path in paths)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.at.port))


def _read(path: Path) -> Running | None:
    with contextlib.suppress(OSError, msgspec.MsgspecError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return msgspec.json.decode(file.read(), type=Running)
        path.unlink()
    return None
