"""The ledger's log: one file a process, one line an event, on disk before anyone relies on it.

An append is durable when its future is done. Appends that come while an fsync is under way share
the next one, so that the disk decides how long a line waits and not how many lines there are.
"""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from sturdis.adapters import durable
from sturdis.core.drill import events
from sturdis.core.drill.events import Event
from sturdis.core.errors import DrillError

SUFFIX = ".events.jsonl"
"""What follows the writer's name in the name of its file."""

NEW = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
"""How a log is opened: two writers in one file could tear each other's lines."""

CHUNK = 1 << 20
"""Bytes read at a time."""


class LedgerLog(AbstractContextManager["LedgerLog"]):
    """Appends events to a file of its own in `folder`; may be shared by threads.

    Args:
        folder: Where all logs of one drill are; made when it is missing.
        writer: Names the file; another process may not use the same.

    Raises:
        DrillError: `drill.log_lost`: the file is there already, or cannot be made.
    """

    def __init__(self, folder: Path, writer: str) -> None:
        self.folder = folder
        self._path = folder / f"{writer}{SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, NEW, mode=0o600)
            durable.sync(folder)  # a file that is on disk is lost with a name that is not
        except OSError as error:
            raise _lost(self._path, error) from error
        self._lines: list[bytes] = []
        self._durable: Future[None] = Future()
        self._wanted = threading.Condition()
        self._closing = False
        self._writing = threading.Thread(target=self._write_on, daemon=True)
        self._writing.start()

    def append(self, *happened: Event) -> "Future[None]":
        """Give a future that is done when the events are on disk; for no events it is done.

        It raises `drill.log_lost` when they cannot be written.
        """
        if not happened:
            done: Future[None] = Future()
            done.set_result(None)
            return done
        with self._wanted:
            if self._closing:
                raise ValueError("the log is closed")
            self._lines.extend(map(events.encode, happened))
            self._wanted.notify()
            return self._durable

    def close(self) -> None:
        """Write what was appended and close the file. A second close does nothing."""
        with self._wanted:
            if self._closing:
                return
            self._closing = True
            self._wanted.notify()
        self._writing.join()
        os.close(self._file)

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _write_on(self) -> None:
        while batch := self._next_batch():
            lines, durable = batch
            try:
                _write_all(self._file, b"".join(lines))
                os.fsync(self._file)
            except OSError as error:
                durable.set_exception(_lost(self._path, error))
            else:
                durable.set_result(None)

    def _next_batch(self) -> "tuple[list[bytes], Future[None]] | None":
        """Wait for events and take them with the future they share; None: it is closed."""
        with self._wanted:
            self._wanted.wait_for(lambda: self._lines or self._closing)
            if not self._lines:
                return None
            batch = self._lines, self._durable
            self._lines, self._durable = [], Future()
            return batch


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


@dataclass(frozen=True)
class Torn:
    """The end of a log that was cut in the middle of a line: its writer was killed there.

    Nobody relied on that line, for it was never on disk as a whole.
    """

    path: Path
    size: int
    """Bytes after the last whole line."""


@dataclass(frozen=True)
class Logs:
    """All events of a drill, and the logs whose last line is torn."""

    events: tuple[Event, ...]
    torn: tuple[Torn, ...]


def read(folder: Path) -> Logs:
    """Read every log in `folder`, also while their writers go on.

    Raises:
        DrillError: `drill.log_damaged`: a whole line is no event. `drill.log_lost`: a file cannot
            be read.
    """
    told: list[Event] = []
    torn: list[Torn] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        for number, line in enumerate(_lines(path), start=1):
            if not line.endswith(b"\n"):
                torn.append(Torn(path, len(line)))
            elif event := events.decode(line):
                told.append(event)
            else:
                raise _damaged(path, number)
    return Logs(tuple(told), tuple(torn))


def _lines(path: Path) -> Iterator[bytes]:
    """Give the lines of a file with their newlines, holding one chunk at a time."""
    rest = b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (line + b"\n" for line in whole)
    except OSError as error:
        raise _lost(path, error) from error
    if rest:
        yield rest


def _lost(path: Path, error: OSError) -> DrillError:
    return DrillError(
        "drill.log_lost",
        f"the ledger's log {path} cannot be written or read",
        why=error.strerror or str(error),
        do="give the drill an empty folder on a disk with room",
    )


def _damaged(path: Path, number: int) -> DrillError:
    return DrillError(
        "drill.log_damaged",
        f"line {number} of the ledger's log {path} is no event",
        why="only the last line of a log may be incomplete: something else wrote to the file",
        do="run the drill again in an empty folder",
    )
