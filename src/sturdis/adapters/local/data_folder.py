"""The folder that holds a server's data: made, locked, and remembering its server.

Beside the server's own `appendonlydir/` it holds `redis.conf`, `server.json` (the server that last
used it), `server.log` and `sturdis.lock`. The lock is a flock(2) whose descriptor the server
inherits: as long as either lives, no second server can be started on the same files.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from sturdis.core.errors import DataError
from sturdis.core.servers import Record

AOF_FOLDER = "appendonlydir"
RECORD = "server.json"
LOCK = "sturdis.lock"
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
    lock: int
    """File descriptor of the lock, to be inherited by the server."""
    ephemeral: bool = False

    @property
    def conf(self) -> Path:
        """Where the server's configuration is written."""
        return self.path / CONF

    @property
    def log(self) -> Path:
        """Where the server's output goes."""
        return self.path / LOG

    def write_conf(self, text: str) -> None:
        """Write the server's configuration.

        Raises:
            DataError: `data.not_writable`; so do the other methods that write.
        """
        with _refusing(self.path):
            self.conf.write_bytes(text.encode(errors="surrogateescape"))

    def open_log(self) -> BinaryIO:
        """Open a new log for the server, and keep the last run's as the previous one."""
        with _refusing(self.path):
            if self.log.exists():
                self.log.replace(self.path / PREVIOUS_LOG)
            return self.log.open("wb")

    @property
    def fresh(self) -> bool:
        """Whether no server has written data here yet."""
        return not (self.path / AOF_FOLDER).exists()

    def record(self) -> Record | None:
        """Read which server used the folder last; None where that is not known."""
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode((self.path / RECORD).read_bytes(), type=Record)
        return None

    def remember(self, record: Record) -> None:
        """Write which server uses the folder; a reader sees the old record or the new one."""
        beside = self.path / f"{RECORD}.new"
        with _refusing(self.path):
            beside.write_bytes(msgspec.json.format(msgspec.json.encode(record)))
            beside.replace(self.path / RECORD)

    def hold(self, holder: Holder) -> None:
        """Say in the lock file who holds it."""
        with _refusing(self.path):
            os.truncate(self.lock, 0)
            os.pwrite(self.lock, msgspec.json.encode(holder), 0)

    def close(self) -> None:
        """Release the lock."""
        if self.ephemeral:
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)


def open_folder(path: Path, *, ephemeral: bool = False) -> DataFolder:
    """Make `path` (mode 0700) where it is missing, and lock it. Nothing in it is changed.

    Raises:
        DataError: `data.not_writable`, `data.foreign` or `data.locked`.
    """
    with _refusing(path):
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=True)
        strange = sorted(set(os.listdir(path)) - {AOF_FOLDER, LOCK})  # noqa: PTH208  names
        if strange and not (path / RECORD).exists():
            raise _foreign(path, strange)
        opened = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # above the standard streams, which a server does not inherit as they are
        lock = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, 3)
        os.close(opened)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = _holder(lock)
        os.close(lock)
        raise _locked(path, holder) from error
    folder = DataFolder(path, lock, ephemeral)
    folder.hold(Holder(os.getpid()))
    return folder


def open_temporary() -> DataFolder:
    """Make a new folder that goes when it is closed, and lock it.

    Raises:
        DataError: `data.not_writable`.
    """
    with _refusing(Path(os.environ.get("TMPDIR") or "/tmp")):  # noqa: S108  named in an error
        path = Path(tempfile.mkdtemp(prefix="sturdis-"))
    return open_folder(path, ephemeral=True)


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn what the system says when the folder `path` cannot be written into our error."""
    try:
        yield
    except OSError as error:
        where = f": {error.filename}" if isinstance(error.filename, str) else ""
        raise DataError(
            "data.not_writable",
            f"the data folder {path} cannot be used",
            why=f"{error.strerror}{where}",
            do="make room or name another folder: sturdis up --data DIR",
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
            do=f"sturdis up --data {folder.path} --server PATH, with the server that wrote it",
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


def _holder(lock: int) -> Holder | None:
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(os.pread(lock, 4096, 0), type=Holder)
    return None


def _locked(path: Path, holder: Holder | None) -> DataError:
    if holder is not None and holder.server is not None and not _alive(holder.up):
        return DataError(
            "data.locked",
            f"{path} is in use by a server whose `up` is gone",
            why=f"the server, process {holder.server}, still runs at {holder.address}",
            do=f"kill {holder.server}    (it writes and ends), then sturdis up",
        )
    who = f"process {holder.up} {holder.address}".strip() if holder else "another process"
    return DataError(
        "data.locked",
        f"{path} is in use",
        why=f"{who} holds {path / LOCK}",
        do="use that one, or sturdis up --data DIR --port 6380 --metrics-port 9122 beside it",
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
