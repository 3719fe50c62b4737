"""The folder that is repaired: looked at, copied whole, and given its new files at one moment.

The new set stands beside the old one until the manifest is renamed: at every moment a server finds
one of the two. `repair.json` is there from before the first change until after the last, so that
the next run finishes what was cut short, or takes it back.
"""

import fcntl
import mmap
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

import msgspec

from sturdis.adapters import durable
from sturdis.adapters.local import data_folder, repair_copy, repair_refusals
from sturdis.adapters.local.guard import ends
from sturdis.core.aof import guard, rdb
from sturdis.core.aof.copying import Step
from sturdis.core.aof.manifest import Manifest
from sturdis.core.repair import filesets, leftovers
from sturdis.core.repair.drafting import Parts
from sturdis.core.repair.filesets import FileSet
from sturdis.core.repair.leftovers import Written
from sturdis.core.repair.mended import Increment
from sturdis.core.servers import Record

MARKER = "repair.json"
BESIDE = "temp-repair.manifest"
"""How a server, too, names what it has not renamed yet: the guard removes it."""

OF_A_SET = (".incr.aof", ".base.aof", ".base.rdb")
"""How the names of files end that a manifest leads."""

_STAMP = re.compile(rb"#TS:([0-9]{9,11})\r\n")

Tell = Callable[[Step], None]


class Marker(msgspec.Struct, frozen=True):
    """A repair that has begun to change the folder."""

    keep: str
    """Where the whole folder was copied to."""
    manifest: str
    """What leads the new set."""
    new: list[str]
    old: list[str]
    """Names of files that only the one or the other set has."""


@dataclass(frozen=True)
class Found:
    """What the folder holds."""

    parts: Parts
    format: rdb.Format | None
    """Of the base, where it is an RDB."""
    record: Record | None
    """Which server used it last."""


class RepairFolder:
    """A data folder that no server uses.

    Args:
        path: It holds `appendonlydir/`.
        keep: Where the copy goes; None: beside it.
    """

    def __init__(self, path: Path, keep: Path | None = None) -> None:
        self.path = path.absolute()
        self._parts = self.path / guard.FOLDER
        self.keep = keep.absolute() if keep else repair_copy.free_place(self.path)
        self._mapped: list[mmap.mmap] = []
        self._seen: dict[Path, tuple[int, int]] = {}
        """What was looked at, with its size in bytes and when it changed in ns."""
        self._locks: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in self._mapped:
            one.close()
        for lock in self._locks:
            os.close(lock)

    def look(self) -> Found:
        """Find out what is there; nothing is changed.

        Raises:
            DataError: It is no folder with an append-only file, in use, or not to be read.
        """
        with repair_refusals.unreadable(self.path):
            repair_refusals.require_folder(self.path)
            repair_refusals.refuse_use(self.path)
            manifest = self._parts / guard.MANIFEST
            text = manifest.read_bytes() if manifest.exists() else None
            marker = self.marker()
            half = set(marker.new) if marker and not _leads(marker, text) else set()
            there = {one.name for one in self._parts.iterdir() if one.is_file()}
            names = tuple(sorted(there - half))
            files = filesets.find(text, names)
            if files is None:
                raise repair_refusals.nothing_there(self.path)
            self._seen = self._sizes()
            return self._found(files, names)

    def _sizes(self) -> dict[Path, tuple[int, int]]:
        stats = ((one, one.stat()) for one in self._parts.iterdir())
        return {one: (stat.st_size, stat.st_mtime_ns) for one, stat in stats}

    def _found(self, files: FileSet, names: tuple[str, ...]) -> Found:
        base, format_, is_whole, began = None, None, True, None
        if files.base is not None:
            path = self.file(files.base.name)
            head, tail = ends(path)
            format_, began = rdb.format_of(head), rdb.created(head)
            if format_ is not None or path.suffix == ".rdb":
                is_whole = format_ is not None and rdb.ends_whole(tail)
            else:
                base = self._increment(files.base.name)
        texts = {one.name: self._increment(one.name) for one in files.increments}
        if files.by_names:
            written = {name: self._written(name, one.text) for name, one in texts.items()}
            files = leftovers.left_out(files, began, written)
        increments = tuple(texts[one.name] for one in files.increments)
        record = durable.read(self.path / data_folder.RECORD, Record)
        return Found(Parts(files, base, is_whole, increments, names), format_, record)

    def _written(self, name: bytes, text: bytes) -> Written:
        stamps = (int(found[1]) for found in _STAMP.finditer(text))
        return Written(max(stamps, default=None), int(self.file(name).stat().st_mtime))

    def file(self, name: bytes) -> Path:
        """Give where one of its files is."""
        return self._parts / os.fsdecode(name)

    def _increment(self, name: bytes) -> Increment:
        with self.file(name).open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return Increment(os.fsdecode(name), b"")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._mapped.append(mapped)
        return Increment(os.fsdecode(name), cast("bytes", mapped))

    def marker(self) -> Marker | None:
        """Read what an earlier repair that was cut short has left."""
        return durable.read(self.path / MARKER, Marker)

    def require_writable(self) -> None:
        """Make sure that it may be changed, before a plan is made.

        Raises:
            DataError: `data.not_writable` or `data.not_empty`.
        """
        if os.path.lexists(self.keep):
            raise repair_refusals.kept_there(self.keep)
        for path in (self.path, self._parts):
            if not os.access(path, os.W_OK | os.X_OK) or _is_read_only(path):
                raise repair_refusals.read_only(path)

    def is_unsettled(self) -> bool:
        """Tell whether an earlier repair was cut short."""
        return (self.path / MARKER).exists()

    def hold(self) -> None:
        """Keep servers and other repairs away until the end.

        Raises:
            DataError: `data.locked` or `data.not_writable`.
        """
        with repair_refusals.unwritable(self.path):
            for name in (data_folder.UP_LOCK, data_folder.LOCK):
                lock = os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._locks.append(lock)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise repair_refusals.in_use(self.path, f"{name} is held") from error
            repair_copy.give_to_owner(
                self.path, self.path / data_folder.UP_LOCK, self.path / data_folder.LOCK
            )
            self._require_same()
        repair_refusals.refuse_use(self.path, but=os.getpid())

    def _require_same(self) -> None:
        if self._sizes() != self._seen:
            raise repair_refusals.other_by_now(self.path)

    def settle(self) -> bool:
        """Finish what an earlier repair left, or take it back.

        Returns:
            Whether it was finished: its new set is in place.
        """
        marker = self.marker()
        if marker is None:
            return False
        with repair_refusals.unwritable(self.path):
            manifest = self._parts / guard.MANIFEST
            is_new = _leads(marker, manifest.read_bytes() if manifest.exists() else None)
            for name in (*(marker.old if is_new else marker.new), BESIDE):
                (self._parts / name).unlink(missing_ok=True)
                self._seen.pop(self._parts / name, None)
            durable.sync(self._parts)
            (self.path / MARKER).unlink()
            durable.sync(self.path)
        return is_new

    def require_room(self, more: int) -> None:
        """Make sure that the copy, and `more` bytes in the folder, fit.

        Raises:
            DataError: `data.no_room`.
        """
        repair_copy.require_room(self.path, self.keep, more)

    def copy_whole(self, tell: Tell) -> None:
        """Copy all that is in the folder.

        Raises:
            DataError: `data.not_writable`, `data.not_empty` or `data.changed`.
        """
        repair_copy.make(self.path, self.keep, tell, self._require_same)

    def swap(self, manifest: Manifest, new: Mapping[bytes, Path], tell: Tell) -> None:
        """Give the folder its new set; interrupted at any point it has the old or the new one.

        Args:
            manifest: What leads the new set.
            new: Name of each file that is new to where its proven content is.
            tell: Called as it goes on.

        Raises:
            DataError: `data.not_writable` or `data.changed`.
        """
        listed = {os.fsdecode(one.name) for one in manifest.entries}
        names = sorted(one.name for one in self._parts.iterdir())
        old = [one for one in names if one not in listed and one.endswith(OF_A_SET)]
        text = manifest.write()
        marker = Marker(
            str(self.keep), text.decode(errors="surrogateescape"), [*map(os.fsdecode, new)], old
        )
        with repair_refusals.unwritable(self.path):
            self._mark(marker)
            for number, (name, source) in enumerate(new.items()):
                repair_copy.copied(source, self.file(name))
                repair_copy.give_to_owner(self.path, self.file(name))
                tell(Step("writing", number + 1, len(new)))
            durable.write(self._parts / BESIDE, text)
            repair_copy.give_to_owner(self.path, self._parts / BESIDE)
            durable.sync(self._parts)
            (self._parts / BESIDE).rename(self._parts / guard.MANIFEST)
            durable.sync(self._parts)
        self.settle()

    def _mark(self, marker: Marker) -> None:
        beside = self.path / f"{MARKER}.new"
        durable.write(beside, msgspec.json.encode(marker))
        beside.rename(self.path / MARKER)
        durable.sync(self.path)


def _is_read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _leads(marker: Marker, manifest: bytes | None) -> bool:
    """Tell whether the new set of a repair is in place."""
    return manifest == marker.manifest.encode(errors="surrogateescape")
