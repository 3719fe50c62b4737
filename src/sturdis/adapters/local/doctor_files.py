"""The append-only file in a data folder, read for damage while a server may write to it.

Nothing is changed, and nothing is locked that a server needs. Of a running server each file is read
up to the size that it had, and its last one may end in the middle of a write.
"""

import fcntl
import functools
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sturdis.adapters.local import guard as guards
from sturdis.adapters.local.data_folder import AOF_FOLDER, LOCK
from sturdis.core.aof import guard, rdb
from sturdis.core.aof import scan as scans
from sturdis.core.aof.manifest import Manifest
from sturdis.core.aof.scan import Scan, Tail
from sturdis.core.doctor.damage import Files, Problem, is_damage
from sturdis.core.errors import DataError
from sturdis.core.facts import NotVisible, Unseen

SECONDS = 8.0
"""Longest reading: 300 to 600 MB of increments."""

AGAIN_SECONDS = 0.2
"""Until an odd end of a file that is written to is looked at again."""

TRIES = 3
"""Times that the files are looked for again, where a rewrite replaced them meanwhile."""

NOT_HERE = NotVisible("the server's files are not on this machine, or not in that folder")


class _MovedError(Exception):
    """A rewrite replaced the files while they were read."""


@dataclass
class _Reading:
    """How much was read, and how much was left."""

    until: float
    unread: int = 0
    torn: str = ""
    problems: list[Problem] = field(default_factory=list)


def in_use(folder: Path) -> bool:
    """Tell whether a server runs on the folder: one that `up` started, or any other of this user's.

    A server changes into its data folder at its start.
    """
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass  # it is not a folder of ours
    return any(map(functools.partial(_works_in, folder.resolve()), Path("/proc").glob("[0-9]*")))


def _works_in(folder: Path, process: Path) -> bool:
    try:
        is_server = any(name in (process / "comm").read_text() for name in ("redis", "valkey"))
        return is_server and (process / "cwd").readlink() == folder
    except OSError:  # it ended, or is not for us to see
        return False


def look(
    folder: Path, *, is_live: bool, parts: str = AOF_FOLDER, seconds: float = SECONDS
) -> Files | NotVisible | Unseen:
    """Read what a server keeps in `folder`.

    Args:
        folder: The data folder.
        is_live: Whether a server runs on it.
        parts: The folder in it with the append-only file.
        seconds: Longest reading.
    """
    try:
        for _ in range(TRIES):
            try:
                return _look(folder, folder / parts, is_live=is_live, seconds=seconds)
            except (_MovedError, FileNotFoundError):
                if not (folder / parts / guard.MANIFEST).exists():
                    return NOT_HERE
    except OSError as error:
        return Unseen(f"the files of the server: {error.filename or folder}: {error.strerror}")
    return Unseen(f"{folder}: rewrites replaced its files while they were read")


def _look(folder: Path, parts: Path, *, is_live: bool, seconds: float) -> Files:
    reading = _Reading(time.monotonic() + seconds)
    stale = [(one, one.stat()) for one in _stale(folder, parts)] if not is_live else _old(parts)
    shown = tuple(str(path) for path, _stat in stale)
    size = sum(stat.st_size for _path, stat in stale)
    try:
        manifest = guards.read_manifest(folder, parts)
    except DataError as error:
        if is_live and error.code == "data.missing_file":
            raise _MovedError from error
        problem = Problem(error.code, error.what, error.why)
        return Files(str(folder), is_live, (problem,), stale=shown, stale_bytes=size)
    if manifest is not None:
        _read(parts, manifest, reading, is_live=is_live)
        if is_live and guards.read_manifest(folder, parts) != manifest:
            raise _MovedError
    problems = tuple(reading.problems)
    return Files(str(folder), is_live, problems, reading.torn, reading.unread, shown, size)


def _read(parts: Path, manifest: Manifest, reading: _Reading, *, is_live: bool) -> None:
    """Read all files that a start would load, the base's head alone."""
    if manifest.base is not None:
        path = parts / os.fsdecode(manifest.base.name)
        with path.open("rb") as file:
            head = file.read(rdb.HEAD_BYTES)
        if path.suffix == ".rdb" and rdb.format_of(head) is None:
            error = guard.lost_base(str(path))
            reading.problems.append(Problem(error.code, error.what, error.why))
    for entry in manifest.increments:
        is_last = entry is manifest.increments[-1]
        path = parts / os.fsdecode(entry.name)
        scan = _scan(path, reading)
        if is_live and is_last and scan is not None and scan.tail is Tail.CORRUPT:
            threading.Event().wait(AGAIN_SECONDS)
            again = _scan(path, reading)
            if again is None or again.safe_end > scan.safe_end:
                continue  # it was a write under way, of a value that looks like commands
        _judge(path, scan, reading, is_live=is_live, is_last=is_last)


def _judge(
    path: Path, scan: Scan | None, reading: _Reading, *, is_live: bool, is_last: bool
) -> None:
    if scan is None or not is_damage(scan, is_live=is_live, is_last=is_last):
        return
    try:
        cut = guard.decide(str(path), scan, last=is_last)
    except DataError as error:
        reading.problems.append(Problem(error.code, error.what, error.why))
        return
    if cut is None:
        return
    told = f"{cut.size} bytes behind byte {cut.offset} of {path}: {cut.tail.value}"
    if is_live:  # zero bytes, which no write leaves while it is under way
        reading.problems.append(Problem("data.corrupt", told, "the server writes on behind them"))
    else:
        reading.torn = told


def _scan(path: Path, reading: _Reading) -> Scan | None:
    """Read a file up to the size that it has now; None: not to its end, and nothing odd before."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        read = 0

        def chunks() -> Iterator[bytes]:
            nonlocal read
            while read < size and time.monotonic() < reading.until:
                chunk = file.read(min(guards.CHUNK, size - read))
                if not chunk:
                    return
                read += len(chunk)
                yield chunk

        found = scans.scan(chunks())
    if read < size:
        reading.unread += size - read
        return found if found.tail is Tail.CORRUPT else None
    return found


def _stale(folder: Path, parts: Path) -> list[Path]:
    return [one / name for one in (folder, parts) for name in guard.stale(guards.names_in(one))]


def _old(parts: Path) -> list[tuple[Path, os.stat_result]]:
    """Give temporary files of a running server that it no longer writes to.

    The one of a rewrite that is under way is written to all the time, and named for its process.
    """
    found = []
    for path in _stale(parts.parent, parts):
        stat = path.stat()
        pid = path.stem.rpartition("-")[2]
        if not (pid.isdecimal() and Path("/proc", pid).exists()):
            found.append((path, stat))
    return found
