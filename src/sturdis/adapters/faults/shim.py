"""The library that is preloaded into a server: compiled where it is needed, and its switches.

What it records and obeys is in a file that both map; `shim.c` beside this holds the same layout.
"""

import hashlib
import mmap
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import platformdirs

from sturdis.core.errors import DrillError

SOURCE = Path(__file__).with_name("shim.c")

HEADER = 16
SLOTS, SLOT = 4096, struct.Struct("=QQqqqq")
CHANGES, CHANGE = 512, struct.Struct("=qqq64s64s")
WORD = struct.Struct("=q")
SIZE = HEADER * WORD.size + SLOTS * SLOT.size + CHANGES * CHANGE.size
"""The layout of `struct control` in shim.c."""

SECOND = 10**9
COMPILE_SECONDS = 60.0


class Word(IntEnum):
    """The words at the start of the file, by their position."""

    DICE = 0
    LEAST_DELAY = 1
    MOST_DELAY = 2
    FAILURES = 3
    OFFSET = 4
    BEGUN = 5
    COMPLETED = 6
    FAILED = 7
    LONGEST = 8
    CHANGES = 9
    DURABLE = 10
    LOADED = 11


class Kind(IntEnum):
    """What a change of names was."""

    MADE = 1
    RENAMED = 2
    REMOVED = 3


@dataclass(frozen=True)
class Covered:
    """What fsyncs did for one file."""

    synced: int
    """Its size when the last completed one began; 0: none completed."""
    began: float | None
    """When that one began, in seconds since 1970; None: none completed."""
    under_way: float | None
    """When one that has not completed began; None: there is none."""
    increment: bool
    """Whether it is an increment of the append-only file."""


@dataclass(frozen=True)
class Change:
    """A change of which names there are, that no fsync of the folder has made durable."""

    kind: Kind
    before: str
    after: str
    kept: Path | None
    """What the name stood for before, where anything."""


class Shim:
    """The switches and records of one server's life after life.

    Args:
        folder: For its file and what it keeps; on the file system of the data.
        data: The server's data folder.

    Raises:
        DrillError: `drill.lacking`: it cannot be compiled.
    """

    def __init__(self, folder: Path, data: Path) -> None:
        self._library = library()
        self._data = data.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder.resolve() / "shim"
        self._path.write_bytes(bytes(SIZE))
        with self._path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)

    def environ(self) -> Mapping[str, str]:
        """Give the variables that preload it into a server."""
        return {
            "LD_PRELOAD": str(self._library),
            "STURDIS_SHIM": str(self._path),
            "STURDIS_SHIM_FOLDER": str(self._data),
        }

    def slow_down(self, least: float, most: float, seed: int) -> None:
        """Have each fsync take so many seconds longer, by chance; 0 and 0: none."""
        self._put(Word.DICE, seed & (1 << 62) - 1)
        self._put(Word.LEAST_DELAY, round(least * SECOND))
        self._put(Word.MOST_DELAY, round(most * SECOND))

    def fail(self, count: int) -> None:
        """Have so many of the next fsyncs of increments fail with EIO."""
        self._put(Word.FAILURES, count)

    def set_clock(self, ahead: float) -> None:
        """Have the server's clock go so many seconds ahead of the machine's, or behind."""
        self._put(Word.OFFSET, round(ahead * SECOND))

    def count(self, word: Word) -> int:
        """Give what it counted: fsyncs begun, completed, failed; or a switch."""
        value: int = WORD.unpack_from(self._map, word * WORD.size)[0]
        return value

    @property
    def loaded(self) -> bool:
        """Whether it was ever in a process."""
        return bool(self.count(Word.LOADED))

    def longest_fsync(self) -> float:
        """Give how long the longest fsync took, one that is under way included, in seconds."""
        waits = [one.under_way for one in self.covered().values() if one.under_way]
        now = time.time()
        return max([self.count(Word.LONGEST) / SECOND, *(now - began for began in waits)])

    def under_way(self) -> bool:
        """Tell whether an fsync of an increment is under way."""
        return any(one.under_way and one.increment for one in self.covered().values())

    def covered(self) -> Mapping[tuple[int, int], Covered]:
        """Give what fsyncs did for each file, by device and inode."""
        found = {}
        for at in self._slots():
            device, inode, synced, began, under_way, increment = SLOT.unpack_from(self._map, at)
            if inode:
                found[device, inode] = Covered(
                    max(0, synced),
                    began / SECOND if began else None,
                    under_way / SECOND if under_way else None,
                    bool(increment),
                )
        return found

    def changes(self) -> list[Change]:
        """Give the changes of names that are not durable, the first made first."""
        last, durable = self.count(Word.CHANGES), self.count(Word.DURABLE)
        first = HEADER * WORD.size + SLOTS * SLOT.size
        found = []
        for number in range(max(durable, last - CHANGES), last):
            at = first + number % CHANGES * CHANGE.size
            _when, kind, kept, before, after = CHANGE.unpack_from(self._map, at)
            if kind:
                link = self._path.with_name(f"{self._path.name}.kept.{kept}") if kept else None
                found.append(Change(Kind(kind), _text(before), _text(after), link))
        return found

    def settle(self, *, durable: bool) -> None:
        """Bring the records up to date while no server runs: the guard may have cut a file.

        Args:
            durable: Whether all that is there now is on the disk: after a power cut nothing else
                is.
        """
        sizes = {}
        for path in self._data.rglob("*"):
            if path.is_file():
                stat = path.stat()
                sizes[stat.st_dev, stat.st_ino] = stat.st_size
        for at in self._slots():
            device, inode, synced, began, _under_way, increment = SLOT.unpack_from(self._map, at)
            if (size := sizes.get((device, inode))) is None:  # gone, and its inode free for another
                synced, began, size = -1, 0, 0
            now = size if durable else min(synced, size)
            if inode:
                SLOT.pack_into(self._map, at, device, inode, now, began, 0, increment)
        if durable:
            self._put(Word.DURABLE, self.count(Word.CHANGES))
            for kept in self._path.parent.glob(f"{self._path.name}.kept.*"):
                kept.unlink()

    def close(self) -> None:
        """Give the map back."""
        self._map.close()

    def _slots(self) -> Iterator[int]:
        first = HEADER * WORD.size
        return iter(range(first, first + SLOTS * SLOT.size, SLOT.size))

    def _put(self, word: Word, value: int) -> None:
        WORD.pack_into(self._map, word * WORD.size, value)


def library() -> Path:
    """Give the compiled library, made at its first use and kept among the user's caches.

    Raises:
        DrillError: `drill.lacking`.
    """
    source = SOURCE.read_bytes()
    kept = platformdirs.user_cache_path("sturdis") / "shim"
    made = kept / f"{hashlib.sha256(source).hexdigest()[:16]}.so"
    if made.exists():
        return made
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept) as beside:
        unfinished = Path(beside) / made.name
        _compile(unfinished)
        unfinished.replace(made)
    return made


def _compile(made: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        raise _lacking("no cc on PATH (Debian: apt install gcc libc6-dev)")
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(made), str(SOURCE), "-ldl"]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=COMPILE_SECONDS
    )
    if ended.returncode:
        raise _lacking(f"cc failed: {ended.stderr.strip().splitlines()[-1:] or ended.returncode}")


def missing(server: str) -> str:
    """Say why the shim does not work with the program `server`; empty: it does.

    It is tried with `--version`: a program without a dynamic linker does not load it.
    """
    if sys.platform != "linux":
        return "the shim is for Linux"
    try:
        with tempfile.TemporaryDirectory() as folder:
            shim = Shim(Path(folder) / "shim", Path(folder))
            environ = {**os.environ, **shim.environ()}
            subprocess.run(
                [server, "--version"], env=environ, capture_output=True, check=False, timeout=10
            )
            loaded = shim.loaded
            shim.close()
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    except DrillError as error:
        return error.why
    return "" if loaded else f"{server} is linked statically, or with another C library"


def _text(name: bytes) -> str:
    return os.fsdecode(name.partition(b"\0")[0])


def _lacking(why: str) -> DrillError:
    return DrillError(
        "drill.lacking",
        "the library between the server and the system cannot be made",
        why=why,
        do="install a C compiler; sturdis drill list tells which drills need it",
    )
