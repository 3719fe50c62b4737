"""The undo journal of a run: on disk before a step is done, and gone through backwards.

The file is locked while its run lives. `sturdis drill undo` goes through those that nobody holds.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from sturdis.adapters import durable
from sturdis.adapters.drill import undo_steps
from sturdis.adapters.local import signals
from sturdis.core.drill import undo
from sturdis.core.drill.undo import Noted, Step, Undone
from sturdis.core.errors import DrillError, SturdisError

NAME = "undo.jsonl"
"""Name of the journal in the run's folder."""

Undo = Callable[[Step], None]
"""Undoes one step; harmless where nothing is to be undone. Raises DrillError `drill.not_undone`."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a disk that has no room."""


class Journal(AbstractContextManager["Journal"]):
    """The journal in `folder`, made where it is missing; at the end all is undone.

    May be shared by threads.

    Raises:
        DrillError: `drill.running`: its run lives. `drill.log_lost`: it cannot be written or read.
    """

    def __init__(self, folder: Path, undo_step: Undo = undo_steps.undo) -> None:
        self.path = folder / NAME
        self._undo_step = undo_step
        self._turn = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise _lost(self.path, error) from error
        with ExitStack() as unless_claimed:
            unless_claimed.callback(os.close, self._file)
            self._claim(folder)
            unless_claimed.pop_all()

    def _claim(self, folder: Path) -> None:
        """Lock the file, and read what an earlier holder of it left to be undone."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _running(folder) from error
        try:
            durable.sync(folder)
            told = self.path.read_bytes()
            os.truncate(self._file, told.rfind(b"\n") + 1)  # a torn line would spoil the next
        except OSError as error:
            raise _lost(self.path, error) from error
        self._open = {one.number: one for one in undo.still_open(told)}
        self._damaged = undo.damaged(told)
        self._next = max(self._open, default=0) + 1

    def note(self, step: Step) -> int:
        """Write that `step` will have to be undone; call it before what it undoes is done.

        Raises:
            DrillError: `drill.log_lost`: do not do it.
        """
        with self._turn:
            noted = Noted(self._next, step)
            self._next += 1
            self._write(undo.encode(noted))
            self._open[noted.number] = noted
            return noted.number

    def undone(self, number: int) -> None:
        """Write that the step of this number needs no undoing any more. A second time is fine."""
        with self._turn:
            if self._open.pop(number, None):
                self._write(undo.encode(Undone(number)))

    def undo(self, number: int) -> None:
        """Undo one step now; one that is undone is left alone.

        Raises:
            DrillError: `drill.not_undone`.
        """
        with self._turn:
            if noted := self._open.get(number):
                self._undo_step(noted.step)
                self.undone(number)

    def undo_all(self, tell: Callable[[Step], None] = lambda _step: None) -> None:
        """Undo all that is still open, the last done first; `tell` hears what was undone.

        One that fails does not keep the others from it.

        Raises:
            DrillError: `drill.not_undone`: some were not, once all were tried. `drill.log_damaged`:
                a line of the journal is not understood, once the others are undone.
        """
        failed: list[SturdisError] = []
        for number in sorted(self._open, reverse=True):
            step = self._open[number].step
            try:
                self.undo(number)
                tell(step)
            except SturdisError as error:
                failed.append(error)
        if self._damaged:
            failed.append(_damaged(self.path, self._damaged))
        refuse_failed(failed)

    def close(self, tell: Callable[[Step], None] = lambda _step: None) -> None:
        """Undo what is open, which nothing but SIGKILL interrupts, and give the lock back.

        Raises:
            DrillError: As for `undo_all`.
        """
        with signals.deferred():
            try:
                self.undo_all(tell)
            finally:
                os.close(self._file)

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        try:
            os.write(self._file, line)
            os.fsync(self._file)
        except OSError as error:
            raise _lost(self.path, error) from error


def left_behind(runs: Path) -> tuple[Path, ...]:
    """Give the folders below `runs` whose run is gone and has left something to be undone."""
    return tuple(path.parent for path in sorted(runs.glob(f"*/{NAME}")) if _is_left(path))


def _is_left(path: Path) -> bool:
    """Tell whether a journal needs somebody: to undo it, or to look why it cannot be read."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            told = file.read()
            return bool(undo.still_open(told) or undo.damaged(told))
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError:
        return True


def refuse_failed(failed: Sequence[SturdisError]) -> None:
    """Raise what failed, where anything did, as one error.

    Raises:
        DrillError: With the code of the first.
    """
    if len(failed) == 1:
        raise failed[0]
    if failed:
        raise DrillError(
            failed[0].code,
            f"{len(failed)} things that drills did are not undone",
            why="\n".join(f"{one.what}: {one.why}" for one in failed),
            do="\n".join(dict.fromkeys(one.do for one in failed)),
        )


def way_out(error: Exception, place: str) -> str:
    """Say what to do about a folder that the system refuses; `place` says which one."""
    if isinstance(error, OSError) and error.errno not in FULL:
        return f"give this user a folder to write to, {place}"
    return f"make room on the disk, {place}"


def _running(folder: Path) -> DrillError:
    return DrillError(
        "drill.running",
        f"the drill of {folder} is running",
        why="its process holds the lock of its undo journal",
        do="wait for its end, or press Ctrl-C there: it undoes what it did",
    )


def _lost(path: Path, error: Exception) -> DrillError:
    why = getattr(error, "strerror", None) or str(error)
    return DrillError(
        "drill.log_lost",
        f"the undo journal {path} cannot be written or read",
        why=why,
        do=way_out(error, "and then: sturdis drill undo"),
    )


def _damaged(path: Path, lines: Sequence[int]) -> DrillError:
    return DrillError(
        "drill.log_damaged",
        f"line {', '.join(map(str, lines))} of the undo journal {path} cannot be read",
        why="something else wrote to it; all that its other lines tell is undone where it could be",
        do=f"see what is left (server processes, mounts, nft tables), then remove {path}",
    )
