"""Why a folder cannot be repaired, each with what to type instead; nothing was touched."""

import contextlib
import fcntl
import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from sturdis.adapters.local import data_folder
from sturdis.adapters.local.guard import names_in
from sturdis.core import units
from sturdis.core.aof import guard
from sturdis.core.errors import DataError


def require_folder(path: Path) -> None:
    """Stop where there is no folder with an append-only file.

    Raises:
        DataError: `data.no_folder`, `data.no_aof`, `data.rdb_only` or `data.single_file`.
    """
    if not path.is_dir():
        raise DataError(
            "data.no_folder",
            f"{path} is {'a file' if path.exists() else 'not there'}",
            why="what is repaired is a data folder: the one that holds appendonlydir/",
            do="sturdis repair DATA, with the folder that the server's `dir` names",
        )
    if not (path / guard.FOLDER).is_dir():
        guard.refuse_other_forms(str(path), names_in(path), has_manifest=False)
        raise nothing_there(path)


def nothing_there(path: Path) -> DataError:
    """Say that the folder holds no append-only file."""
    shown = ", ".join(sorted(names_in(path))[: data_folder.NAMES_SHOWN]) or "nothing"
    inside = path.name == guard.FOLDER
    return DataError(
        "data.no_aof",
        f"{path} holds no append-only file of Redis or Valkey",
        why=f"there is no {guard.FOLDER}/ with a base or an increment in it; found {shown}",
        do=f"sturdis repair {shlex.quote(str(path.parent))}" if inside
        else "sturdis repair DATA, with the folder that the server's `dir` names",
    )  # fmt: skip


def refuse_use(path: Path, *, but: int | None = None) -> None:
    """Stop where a process uses the folder: one that holds its locks, or has a file of it open.

    Args:
        path: The folder.
        but: A process that is no hindrance, which holds the locks: this one.

    Raises:
        DataError: `data.locked`.
    """
    if but is None:
        for name in (data_folder.UP_LOCK, data_folder.LOCK):
            if _is_held(path / name):
                raise in_use(path, f"another process holds {path / name}")
    user = _user_of(path.resolve(), but or os.getpid())
    if user is not None:
        raise in_use(path, f"process {user[0]} has {user[1]} open")


def _is_held(path: Path) -> bool:
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _user_of(path: Path, own: int) -> tuple[str, str] | None:
    """Find a process that has a file below `path` open, where the system tells."""
    inside = f"{path}/"
    processes = names_in(Path("/proc"))
    for process in processes:
        if not process.isdecimal() or process == str(own):
            continue
        with contextlib.suppress(OSError):
            folder = f"/proc/{process}/fd"
            for opened in os.listdir(folder):  # noqa: PTH208  paths of thousands of files cost
                with contextlib.suppress(OSError):
                    name = os.readlink(f"{folder}/{opened}")  # noqa: PTH115  the same
                    if name.startswith(inside):
                        return process, name
    return None


def in_use(path: Path, why: str) -> DataError:
    """Say that a server, or another repair, uses the folder."""
    return DataError(
        "data.locked",
        f"{path} is in use",
        why=why,
        do="end the server that runs on it (in a cluster: scale its set to 0), then sturdis "
        f"repair {shlex.quote(str(path))}",
    )


@contextlib.contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Turn what the system says when the folder cannot be read into our error."""
    try:
        yield
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else str(path)
        raise DataError(
            "data.not_readable",
            f"the folder {path} cannot be read",
            why=f"{error.strerror}: {where}",
            do="sturdis repair DATA, as a user who may read its files",
        ) from error


@contextlib.contextmanager
def unwritable(path: Path, do: str = "make room, or see who may write it") -> Iterator[None]:
    """Turn what the system says when the folder cannot be written into our error."""
    with data_folder.refusing(path, what="the folder {} cannot be written", do=do):
        yield


def read_only(path: Path) -> DataError:
    """Say that the folder may not be changed."""
    return DataError(
        "data.not_writable",
        f"the folder {path} cannot be written",
        why="it is read-only, or of another user",
        do="sturdis repair DATA --dry-run shows the plan; see who may write it, or repair a copy",
    )


def require_room(place: Path, wanted: int) -> None:
    """Stop where a disk has not so many bytes left.

    Raises:
        DataError: `data.no_room`.
    """
    free = shutil.disk_usage(place).free
    if free < wanted:
        raise DataError(
            "data.no_room",
            f"{place} has no room for the copy of the folder and its new files",
            why=f"{units.human_bytes(wanted)} are needed, {units.human_bytes(free)} are free",
            do="make room, or sturdis repair DATA --keep FOLDER, on another disk",
        )


def kept_there(keep: Path) -> DataError:
    """Say that the place for the copy is taken."""
    return DataError(
        "data.not_empty",
        f"{keep} is there already",
        why="the copy of the folder is never mixed with other files",
        do="sturdis repair DATA --keep FOLDER, with a folder that is not there",
    )


def other_by_now(path: Path) -> DataError:
    """Say that the files are not those that the plan is about."""
    return DataError(
        "data.changed",
        f"{path} has changed since the plan was made",
        why="the size or time of a file in it is another one: a server ran on it meanwhile",
        do=f"sturdis repair {shlex.quote(str(path))}    (it plans anew)",
    )


def changed(path: Path) -> DataError:
    """Say that a copy is not what was copied."""
    return DataError(
        "data.changed",
        f"{path} is not what was copied",
        why="what was read back has another checksum: the disk fails, or someone writes",
        do="sturdis repair DATA --keep FOLDER, on another disk",
    )
