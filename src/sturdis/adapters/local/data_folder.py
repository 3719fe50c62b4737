"""The folder that holds a server's data: made, locked, and remembering its server.

Beside the server's own `appendonlydir/` it holds `redis.conf`, `server.json` (the server that last
used it), `server.log`, `cut/` where the guard cut something, and two locks. `sturdis.lock` is a
flock(2) whose descriptor the server inherits: as long as either lives, no second server can be
started on the same files. `up.lock` is this program's alone: who holds it may adopt a server that
an earlier `up` left behind.
"""

import contextlib
import fcntl
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from sturdis.adapters import durable
from sturdis.adapters.local.server_process import alive
from sturdis.core.aof import guard
from sturdis.core.errors import DataError
from sturdis.core.servers import Record

AOF_FOLDER = guard.FOLDER
CUT_FOLDER = guard.CUT_FOLDER
RECORD = "server.json"
UNFINISHED_RECORD = f"{RECORD}.new"
LOCK = "sturdis.lock"
UP_LOCK = "up.lock"
CONF = "redis.conf"
LOG = "server.log"
PREVIOUS_LOG = "server.previous.log"

NAMES_SHOWN = 3
"""How many of the files that are in the way are named."""


@dataclass(frozen=True)
class Holder:
    """Who holds a folder's lock, as written into the lock file."""

    up: int
    server: int | None = None
    address: str = ""


@dataclass(frozen=True)
class DataFolder:
    """A locked data folder. `close` gives it back, and removes it when it is ephemeral."""

    path: Path
    up_lock: int
    """File descriptor of this program's own lock."""
    ephemeral: bool = False
    left_behind: int | None = None
    """Process id of a server that an earlier `up` left, and that holds the other lock."""
    locks: list[int] = field(default_factory=list, repr=False)
    """File descriptor of the lock for the server, once it is ours."""

    @property
    def conf(self) -> Path:
        """Where the server's configuration is written."""
        return self.path / CONF

    @property
    def log(self) -> Path:
        """Where the server's output goes."""
        return self.path / LOG

    def write_conf(self, text: str) -> None:
        """Write the server's configuration, for its user alone: it may hold a password.

        Raises:
            DataError: `data.not_writable`; so do the other methods that write.
        """
        with refusing(self.path):
            self.conf.unlink(missing_ok=True)
            opened = os.open(self.conf, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "wb") as file:
                file.write(text.encode(errors="surrogateescape"))

    def open_log(self, *, again: bool = False) -> BinaryIO:
        """Open a log for the server, and keep the last run's as the previous one.

        Within one run, a server that is started `again` goes on in the same log.
        """
        with refusing(self.path):
            if self.log.exists() and not again:
                self.log.replace(self.path / PREVIOUS_LOG)
            return self.log.open("ab")

    def lock_for_server(self) -> int:
        """Give the descriptor of the lock that the server inherits, and take the lock before.

        Raises:
            DataError: `data.locked`.
        """
        if not self.locks:
            self.locks.append(_take_lock(self.path, LOCK))
        return self.locks[0]

    @property
    def holder_address(self) -> str:
        """Where the server that was started last answers; empty when that is not known."""
        holder = _holder(self.path)
        return holder.address if holder else ""

    @property
    def fresh(self) -> bool:
        """Whether no server has written data here yet."""
        return not (self.path / AOF_FOLDER).exists()

    def record(self) -> Record | None:
        """Read which server used the folder last; None where that is not known."""
        return durable.read(self.path / RECORD, Record)

    def remember(self, record: Record) -> None:
        """Write which server uses the folder; a reader sees the old record or the new one."""
        beside = self.path / UNFINISHED_RECORD
        with refusing(self.path):
            durable.write(beside, msgspec.json.format(msgspec.json.encode(record)))
            beside.replace(self.path / RECORD)

    def hold(self, holder: Holder) -> None:
        """Say in the lock file who holds it."""
        with refusing(self.path):
            (self.path / LOCK).write_bytes(msgspec.json.encode(holder))

    def close(self) -> None:
        """Release the locks."""
        if self.ephemeral:
            shutil.rmtree(self.path, ignore_errors=True)
        for lock in (*self.locks, self.up_lock):
            os.close(lock)


def open_folder(path: Path, *, ephemeral: bool = False, adopt: bool = False) -> DataFolder:
    """Make `path` (mode 0700) where it is missing, and lock it. Nothing in it is changed.

    With `adopt`, a server that an earlier `up` left running there is no hindrance.

    Raises:
        DataError: `data.not_writable`, `data.foreign`, `data.rdb_only`, `data.single_file` or
            `data.locked`.
    """
    if {"\n", "\r"} & set(str(path)):
        raise _no_name(path)
    with refusing(path):
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=True)
        if not (path / RECORD).exists():
            _require_nothing_else(path)
    folder = DataFolder(path, _take_lock(path, UP_LOCK), ephemeral)
    try:
        folder.lock_for_server()
    except DataError as error:
        holder = _holder(path) if adopt and error.code == "data.locked" else None
        if not (holder and holder.server and alive(holder.server)):
            os.close(folder.up_lock)
            raise
        return replace(folder, left_behind=holder.server)
    folder.hold(Holder(os.getpid()))
    return folder


def _take_lock(path: Path, name: str) -> int:
    """Lock the file `name` in the folder `path`, made where it is missing; `up.lock` comes first.

    Raises:
        DataError: `data.locked` or `data.not_writable`.
    """
    with refusing(path):
        opened = os.open(path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # above the standard streams, which a server does not inherit as they are
        lock = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, 3)
        os.close(opened)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise _locked(path, _holder(path), up_is_gone=name == LOCK) from error
    return lock


def open_temporary() -> DataFolder:
    """Make a new folder that goes when it is closed, and lock it.

    Raises:
        DataError: `data.not_writable`.
    """
    with refusing(Path(os.environ.get("TMPDIR") or "/tmp")):  # noqa: S108  named in an error
        path = Path(tempfile.mkdtemp(prefix="sturdis-"))
    return open_folder(path, ephemeral=True)


@contextlib.contextmanager
def refusing(
    path: Path,
    *,
    what: str = "the data folder {} cannot be used",
    do: str = "make room or name another folder: sturdis up --data DIR",
) -> Iterator[None]:
    """Turn what the system says when the folder `path` cannot be written into our error.

    Raises:
        DataError: `data.not_writable`, of `what` with the path in it.
    """
    try:
        yield
    except OSError as error:
        where = f": {error.filename}" if isinstance(error.filename, str) else ""
        raise DataError(
            "data.not_writable",
            what.format(path),
            why=f"{error.strerror}{where}",
            do=do,
        ) from error


def require_named_server(folder: DataFolder, asked: str | None) -> None:
    """Refuse data of an unknown server unless the user names the server to run on it.

    Raises:
        DataError: `data.unknown_server`.
    """
    if asked is None and not folder.fresh and folder.record() is None:
        raise DataError(
            "data.unknown_server",
            f"{folder.path} holds an append-only file, but not which server wrote it",
            why=f"{RECORD} is missing or damaged, and another server's rewrite cannot be undone",
            do=f"sturdis up --data {shlex.quote(str(folder.path))} --server PATH, with the server"
            " that wrote it",
        )


def _require_nothing_else(path: Path) -> None:
    """Refuse a folder that is not ours and holds more than a Redis' append-only file."""
    names = {one.name for one in path.iterdir()}
    of_redis = {AOF_FOLDER, guard.SNAPSHOT, guard.SINGLE_FILE, *guard.stale(names)}
    of_ours = {LOCK, UP_LOCK, CUT_FOLDER, UNFINISHED_RECORD}
    if strange := sorted(names - of_redis - of_ours):
        raise _foreign(path, strange)
    has_manifest = (path / AOF_FOLDER / guard.MANIFEST).exists()
    guard.refuse_other_forms(str(path), names, has_manifest=has_manifest)


def _no_name(path: Path) -> DataError:
    return DataError(
        "data.not_writable",
        f"the data folder {str(path)!r} cannot be used",
        why="its name holds the end of a line, at which servers break off when they tell of it",
        do="sturdis up --data DIR, with another name",
    )


def _foreign(path: Path, strange: Sequence[str]) -> DataError:
    left = len(strange) - NAMES_SHOWN
    shown = ", ".join(strange[:NAMES_SHOWN]) + (f" and {left} more" if left > 0 else "")
    return DataError(
        "data.foreign",
        f"{path} holds other files",
        why=f"found {shown}",
        do="sturdis up --data DIR, with a new or an empty folder",
    )


def _holder(path: Path) -> Holder | None:
    return durable.read(path / LOCK, Holder)


def _locked(path: Path, holder: Holder | None, *, up_is_gone: bool) -> DataError:
    if holder is not None and holder.server is not None and up_is_gone:
        return DataError(
            "data.locked",
            f"{path} is in use by a server whose `up` is gone",
            why=f"the server, process {holder.server}, still runs at {holder.address};"
            f" kill {holder.server} lets it write and end",
            do=f"sturdis up --data {shlex.quote(str(path))} --adopt",
        )
    who = f"process {holder.up} {holder.address}".strip() if holder else "another process"
    return DataError(
        "data.locked",
        f"{path} is in use",
        why=f"{who} holds {path / LOCK}",
        do="use that one, or sturdis up --data DIR --port 6380 --metrics-port 9122 beside it",
    )
