"""A server of its own that loads what a repair would leave: its folder and socket, no port."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from sturdis.adapters.local import repair_commands, repair_survey, server_process
from sturdis.adapters.local.server_process import ServerProcess
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.aof import guard
from sturdis.core.aof.manifest import Manifest
from sturdis.core.errors import DataError, TargetError
from sturdis.core.repair.resolving import Resolution
from sturdis.core.repair.surveys import Survey
from sturdis.core.replies import ErrorReply
from sturdis.core.servers import Server

SOCKET = "s"
LOG = "log"
INTERVAL = 0.01
LONGEST_INTERVAL = 0.2
"""Seconds between two looks whether it has loaded."""

LOG_BYTES = 1 << 16
MARK = "sturdis:repair:mark"
"""A key that is written on the scratch server alone."""

SETTINGS = (
    "--port", "0", "--unixsocket", SOCKET, "--save", "", "--appendonly", "yes",
    "--appendfsync", "no", "--aof-load-truncated", "no", "--auto-aof-rewrite-percentage", "0",
    "--maxmemory", "0", "--daemonize", "no", "--databases", "1024",
)  # fmt: skip

Content = Callable[[], Iterator[bytes]] | Path
"""What a file holds: bytes, or those of another file, which is only read."""


class NotLoadedError(Exception):
    """The server ended instead of loading; what it said last."""


class Scratch:
    """Folders that go when the block ends, and servers on them.

    Raises:
        DataError: `data.no_room`.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._top = Path()
        self._number = 0

    def __enter__(self) -> Self:
        self._top = Path(tempfile.mkdtemp(prefix="sturdis-repair-"))
        return self

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self._top, ignore_errors=True)

    def folder(self, manifest: Manifest, contents: Mapping[bytes, Content]) -> "ScratchFolder":
        """Write a set of files; the last is one of its own, others may be links.

        Raises:
            DataError: `data.no_room`.
        """
        self._number += 1
        made = ScratchFolder(self._top / str(self._number), self._server, manifest)
        with _room(self._top):
            made.write(contents)
        return made

    def commands(self) -> dict[bytes, int]:
        """Ask a server without data which commands write, and how many words each has.

        Its answer is empty where it does not start: it says why when it is to load something.
        """
        self._number += 1
        own = ScratchFolder(self._top / str(self._number), self._server, Manifest(()))
        with _room(self._top):
            own.path.mkdir()
        with contextlib.suppress(NotLoadedError), own.loaded() as life:
            return life.commands()
        return {}


class ScratchFolder:
    """A data folder that only this program knows."""

    def __init__(self, path: Path, server: Server, manifest: Manifest) -> None:
        self.path = path
        self._server = server
        self._manifest = manifest
        self._parts = path / guard.FOLDER

    def write(self, contents: Mapping[bytes, Content]) -> None:
        """Write the files that the manifest names, and it."""
        self._parts.mkdir(parents=True)
        last = self._manifest.loaded[-1].name if self._manifest.loaded else b""
        for entry in self._manifest.loaded:
            path, content = self._parts / os.fsdecode(entry.name), contents[entry.name]
            if isinstance(content, Path) and entry.name != last:
                path.symlink_to(content.absolute())
            elif isinstance(content, Path):
                shutil.copyfile(content, path)
            else:
                with path.open("wb") as file:
                    file.writelines(content())
        (self._parts / guard.MANIFEST).write_bytes(self._manifest.write())

    def file(self, name: bytes) -> Path:
        """Give where one of its files is."""
        return self._parts / os.fsdecode(name)

    @property
    def last(self) -> Path:
        """The file that the server appends to."""
        return self.file(self._manifest.loaded[-1].name)

    def cut_last(self, size: int) -> None:
        """Take off what was appended behind `size` bytes."""
        os.truncate(self.last, size)

    def remove(self) -> None:
        """Remove it: its room is needed."""
        shutil.rmtree(self.path, ignore_errors=True)

    @contextlib.contextmanager
    def loaded(self) -> Iterator["Life"]:
        """Run a server on it that has loaded all, and kill it when the block ends.

        Raises:
            NotLoadedError: It ended instead.
            DataError: `data.no_room`.
        """
        log = self.path / LOG
        with _room(self.path), log.open("wb") as file:
            command = [self._server.path, "--dir", str(self.path), *SETTINGS]
            process = server_process.start(command, self.path, file, ())
            try:
                with _connected(process, self.path / SOCKET, log) as link:
                    yield Life(link, self, log)
            finally:
                process.kill()
                process.wait()
                (self.path / SOCKET).unlink(missing_ok=True)


class Life:
    """A server that has loaded its data."""

    def __init__(self, link: Link, folder: ScratchFolder, log: Path) -> None:
        self._link = link
        self._folder = folder
        self._log = log

    def survey(self) -> Survey:
        """Read its queues."""
        return repair_survey.take(self._link)

    def commands(self) -> dict[bytes, int]:
        """Give its commands that an append-only file may hold, as for `core/aof/scan.run`."""
        return repair_commands.take(self._link)

    def refused(self) -> tuple[str, ...]:
        """Give what it said of commands that it did not take while it loaded."""
        lines = _tail(self._log).splitlines()
        return tuple(one.partition(" == ")[2] for one in lines if "== CRITICAL ==" in one)

    def apply(self, resolutions: Sequence[Resolution]) -> int:
        """Carry out what is appended, a transaction for each database; give the file's size then.

        Raises:
            DataError: `data.not_proven`: it refused one.
        """
        for db in sorted({one.db for one in resolutions}):
            own = [tuple(one.words) for one in resolutions if one.db == db]
            replies = self._link.call_all([("SELECT", db), ("MULTI",), *own, ("EXEC",)])
            last = replies[-1]
            results = last if isinstance(last, tuple) else (last,)
            if wrong := next((one for one in results if isinstance(one, ErrorReply)), None):
                raise DataError(
                    "data.not_proven", "the server refuses a command of the repair",
                    why=wrong.text, do="sturdis repair DATA --server PATH, with another release",
                )  # fmt: skip
        return self._folder.last.stat().st_size

    def mark(self) -> None:
        """Write one key: what is appended later must load too."""
        self._link.call_all([("SELECT", 0), ("SET", MARK, "1")])

    def unmark(self) -> bool:
        """Remove that key again, and tell whether it was there."""
        return self._link.call_all([("SELECT", 0), ("DEL", MARK)])[-1] == 1


@contextlib.contextmanager
def _connected(process: ServerProcess, socket: Path, log: Path) -> Iterator[Link]:
    pause, waiting = INTERVAL, threading.Event()
    while True:
        if (link := _link(socket)) is not None:
            reply = link.call("PING")
            if reply == b"PONG":
                break
            link.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0)
            raise NotLoadedError(_tail(log).strip())
        waiting.wait(pause)
        pause = min(LONGEST_INTERVAL, pause * 1.5)
    with link:
        yield link


def _link(socket: Path) -> Link | None:
    if not socket.exists():
        return None
    try:
        return Link(Address("", path=str(socket)), reply_seconds=None)
    except TargetError:
        return None


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_BYTES))
        return file.read().decode(errors="replace")


@contextlib.contextmanager
def _room(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            "data.no_room",
            f"the result cannot be proven in {path}",
            why=error.strerror or str(error),
            do="TMPDIR=FOLDER sturdis repair DATA, with room for the append-only file twice",
        ) from error
