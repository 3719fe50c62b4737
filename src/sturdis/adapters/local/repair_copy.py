"""The whole copy of a folder before it is repaired: on the disk, and compared."""

import itertools
import os
import shutil
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sturdis.adapters import durable
from sturdis.adapters.local import data_folder, repair_refusals
from sturdis.adapters.local.guard import chunks
from sturdis.core.aof.copying import Step
from sturdis.core.errors import DataError

ROOM = 16 << 20
"""Bytes that are left free on the disk."""


def free_place(path: Path) -> Path:
    """Name a place beside a folder that is not taken, by the time."""
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    first = path.with_name(f"{path.name}.before-repair-{at}")
    others = (first.with_name(f"{first.name}-{number}") for number in itertools.count(2))
    return next(one for one in itertools.chain((first,), others) if not os.path.lexists(one))


def require_room(path: Path, keep: Path, more: int) -> None:
    """Make sure that the copy, and `more` bytes in the folder, fit.

    Raises:
        DataError: `data.no_room`.
    """
    files = (one for one in path.rglob("*") if one.is_file() and not _is_left_out(one, path, keep))
    size = sum(one.lstat().st_size for one in files)
    place = next(one for one in keep.parents if one.exists())
    same = place.stat().st_dev == path.stat().st_dev
    repair_refusals.require_room(place, size + (more if same else 0) + ROOM)
    if not same:
        repair_refusals.require_room(path, more + ROOM)


def make(
    path: Path, keep: Path, tell: Callable[[Step], None], require_same: Callable[[], None]
) -> None:
    """Copy all that is in the folder, on the disk and compared; the name comes last.

    Args:
        path: The folder.
        keep: Where the copy goes.
        tell: Called as it goes on.
        require_same: Raises `data.changed` where the folder is not what it was.

    Raises:
        DataError: `data.not_writable`, `data.not_empty` or `data.changed`; no copy is left then.
    """
    partial = keep.with_name(f"{keep.name}.partial")
    with repair_refusals.unwritable(keep.parent, "name another place: --keep FOLDER"):
        if os.path.lexists(keep):
            raise repair_refusals.kept_there(keep)
        for left in keep.parent.glob(f"{path.name}.before-repair-*.partial"):
            shutil.rmtree(left, ignore_errors=True)  # of a repair that was killed
        shutil.rmtree(partial, ignore_errors=True)
        try:
            _copy_all(path, keep, partial, tell)
            require_same()
        except DataError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        partial.rename(keep)
        durable.sync(keep.parent)


def _copy_all(path: Path, keep: Path, partial: Path, tell: Callable[[Step], None]) -> None:
    paths = [one for one in sorted(path.rglob("*")) if not _is_left_out(one, path, keep)]
    total = sum(one.lstat().st_size for one in paths if one.is_file())
    done = 0
    partial.mkdir(mode=0o700, parents=True)
    for one in paths:
        done += copied(one, partial / one.relative_to(path))
        tell(Step("copying", done, total))
    for folder in (partial, *(one for one in partial.rglob("*") if one.is_dir())):
        durable.sync(folder)


def _is_left_out(one: Path, path: Path, keep: Path) -> bool:
    """Tell whether a path is not to be copied: a lock, or a copy in the folder itself."""
    inside = one.relative_to(path).parts[0]
    if inside in (data_folder.LOCK, data_folder.UP_LOCK):
        return True
    in_it = keep.parent == path and inside.startswith(keep.name)
    return in_it or inside.startswith("before-repair")


def copied(source: Path, to: Path) -> int:
    """Copy one file or folder, on the disk, and compare; sockets and the like are left out.

    Raises:
        DataError: `data.changed`.
    """
    if source.is_symlink():
        to.symlink_to(source.readlink())
        return 0
    if source.is_dir():
        to.mkdir(mode=0o700)
        return 0
    if not source.is_file():
        return 0
    checksum = 0
    with to.open("xb") as file:
        for chunk in chunks(source):
            file.write(chunk)
            checksum = zlib.crc32(chunk, checksum)
        file.flush()
        os.fsync(file.fileno())
    again = 0
    for chunk in chunks(to):
        again = zlib.crc32(chunk, again)
    if again != checksum:
        raise repair_refusals.changed(to)
    shutil.copystat(source, to)
    return to.stat().st_size


def give_to_owner(like: Path, *paths: Path) -> None:
    """Let a file belong to who owns the folder: a repair may run as root, the server does not."""
    owner = like.stat()
    for path in paths:
        if (path.stat().st_uid, path.stat().st_gid) != (owner.st_uid, owner.st_gid):
            os.chown(path, owner.st_uid, owner.st_gid)
