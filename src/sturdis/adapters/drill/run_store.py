"""Runs of drills, kept below the user's state folder: a folder each, the old ones removed.

A folder holds the ledger's log, the undo journal, the survey and `run.json`, which is written last.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import platformdirs

from sturdis.adapters import durable
from sturdis.adapters.drill import undo_journal
from sturdis.core.drill.events import Survey
from sturdis.core.drill.stored import StoredRun
from sturdis.core.errors import DrillError

KEPT = 50
"""Runs that are kept; older ones go when a new one begins."""

RIG = "rig"
"""Folder of a drill's own server, its data and its log, within the run's."""

RECORD, SURVEY, LOCK = "run.json", "survey.json", "lock"


def home() -> Path:
    """Where runs are kept."""
    return platformdirs.user_state_path("sturdis") / "drills"


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let no other `drill run` of this user begin while the block lasts.

    Raises:
        DrillError: `drill.running`: one is running. `drill.log_lost`: the folder is not writable.
    """
    try:
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(home() / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(home(), error) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DrillError(
                "drill.running",
                "another drill of this user is running",
                why=f"its process holds {home() / LOCK}",
                do="wait for its end, or press Ctrl-C there: it undoes what it did",
            ) from error
        yield
    finally:
        os.close(lock)


def refuse_left_behind() -> None:
    """Refuse to begin while an earlier drill, killed itself, has left something to be undone.

    Raises:
        DrillError: `drill.left_behind`.
    """
    if left := undo_journal.left_behind(home()):
        raise DrillError(
            "drill.left_behind",
            f"{len(left)} earlier {'drill' if len(left) == 1 else 'drills'} left something behind",
            why=f"its process was killed: {left[0]}",
            do="sturdis drill undo",
        )


def new_folder(drill: str, seed: int) -> Path:
    """Make a folder for a run that begins now, and remove the oldest beyond `KEPT`.

    Raises:
        DrillError: `drill.log_lost`.
    """
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z-{drill}-{seed}"
    folder = home() / name
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    left = set(undo_journal.left_behind(home()))
    for old in _folders()[:-KEPT]:
        if old not in left:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def _folders() -> list[Path]:
    """Give the folders of all runs, the oldest first."""
    return sorted(path for path in home().glob("*Z-*") if path.is_dir())


def write(folder: Path, stored: StoredRun, survey: Survey | None) -> None:
    """Write what a run came to: whole or not at all.

    Raises:
        DrillError: `drill.log_lost`.
    """
    beside = folder / f"{RECORD}.new"
    try:
        if survey is not None:
            _write(folder / SURVEY, msgspec.json.encode(survey))
        _write(beside, msgspec.json.format(msgspec.json.encode(stored)))
        beside.replace(folder / RECORD)
        durable.sync(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise _unwritable(folder, error) from error


def _write(path: Path, content: bytes) -> None:
    """Write a file that this user alone reads: names of machines and of queues are in it."""
    path.touch(mode=0o600)
    durable.write(path, content)


def forget_data(folder: Path) -> None:
    """Remove the data of the server of the run in `folder`; its log of events stays."""
    shutil.rmtree(folder / RIG, ignore_errors=True)


def find(named: str | None) -> Path:
    """Find the folder of a run: by its name, the start of it, or its path; None: the latest.

    Raises:
        DrillError: `drill.no_run`.
    """
    if named and (Path(named) / RECORD).is_file():
        return Path(named)
    runs = [path for path in _folders() if (path / RECORD).is_file()]
    found = [path for path in runs if not named or path.name.startswith(named)]
    if found:
        return found[-1]
    raise DrillError(
        "drill.no_run",
        f"there is no run {named!r}" if named else "no drill has been run yet",
        why=f"{home()} holds {len(runs)} runs; the last {KEPT} are kept",
        do="sturdis drill run kill-9    runs one",
    )


def read(folder: Path) -> tuple[StoredRun, Survey | None]:
    """Read what a run came to.

    Raises:
        DrillError: `drill.log_damaged` or `drill.log_lost`.
    """
    try:
        stored = msgspec.json.decode((folder / RECORD).read_bytes(), type=StoredRun)
        survey = folder / SURVEY
        surveyed = (
            msgspec.json.decode(survey.read_bytes(), type=Survey) if survey.exists() else None
        )
    except msgspec.MsgspecError as error:
        raise damaged(folder, str(error)) from error
    except OSError as error:
        raise _unwritable(folder, error) from error
    return stored, surveyed


def damaged(folder: Path, why: str) -> DrillError:
    """Say that what is kept of a run is of no use."""
    return DrillError(
        "drill.log_damaged",
        f"what is kept of the run in {folder} cannot be told",
        why=why,
        do="run the drill again",
    )


def _unwritable(path: Path, error: OSError) -> DrillError:
    return DrillError(
        "drill.log_lost",
        f"the run's folder {path} cannot be written or read",
        why=error.strerror or str(error),
        do=undo_journal.way_out(error, "where runs are kept: XDG_STATE_HOME names where"),
    )
