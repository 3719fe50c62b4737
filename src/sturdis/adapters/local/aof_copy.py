"""Copying the files of an append-only file into a new data folder that `up` runs on at once."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from sturdis.adapters import durable
from sturdis.adapters.local import binaries, data_folder, signals
from sturdis.adapters.local.guard import CHUNK, chunks, ends
from sturdis.core.aof import copying, guard, rdb
from sturdis.core.aof import scan as scans
from sturdis.core.aof.copying import Copied, Origin, Step
from sturdis.core.aof.manifest import Entry, Kind, Manifest
from sturdis.core.aof.scan import Tail
from sturdis.core.errors import DataError, ServerError
from sturdis.core.servers import Record


class CopyFolder:
    """A folder that holds a whole copy, or is not there: it is written beside and renamed."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._beside = self._path.with_name(f".{self._path.name}.copying")
        self._parts = self._beside / data_folder.AOF_FOLDER

    @contextlib.contextmanager
    def unfinished(self) -> Iterator[None]:
        """Make room beside the folder; what is not finished when the block ends is removed.

        What a copy that was killed left there is removed as well.

        Raises:
            DataError: `data.not_empty`, `data.locked` or `data.not_writable`.
        """
        with self._writing():
            if os.path.lexists(self._path) and not self._is_empty():
                raise self._not_empty()
            self._beside.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._beside, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._take(lock)
            try:
                with self._writing():
                    shutil.rmtree(self._parts, ignore_errors=True)
                    self._parts.mkdir(mode=0o700)
                yield
            finally:
                with signals.ignored():
                    shutil.rmtree(self._beside, ignore_errors=True)
        finally:
            os.close(lock)

    def manifest(self, origin: Origin) -> Manifest:
        """Read the manifest that leads the server's files now.

        Raises:
            TargetError: `target.files_elsewhere`.
            DataError: `data.manifest`.
        """
        path = Path(origin.folder) / origin.manifest
        try:
            text = path.read_bytes()
        except OSError as error:
            raise copying.files_elsewhere(origin, f"{path}: {error.strerror}") from error
        return guard.read_manifest(str(path), text)

    def copy(self, origin: Origin, manifest: Manifest, tell: Callable[[Step], None]) -> int:
        """Copy what a server loads, cut the last file at its safe end, and check what was written.

        Returns:
            How many bytes were cut off: a write that was under way.

        Raises:
            DataError: `data.corrupt`, `data.torn_earlier` or `data.not_writable`.
        """
        with self._writing():
            sources = [Path(origin.folder) / os.fsdecode(one.name) for one in manifest.loaded]
            total = sum(path.stat().st_size for path in sources)
            done = 0
            for path in sources:
                for size in _copied(path, self._parts / path.name):
                    done += size
                    tell(Step("copying", done, max(done, total)))
            checked = [self._check(one, last=one is manifest.loaded[-1]) for one in manifest.loaded]
        return sum(checked)

    def finish(self, origin: Origin, manifest: Manifest, left_out: int) -> Copied:
        """Lead the copied files by a manifest, say which server wrote them, and name the folder.

        Raises:
            DataError: `data.not_writable`.
        """
        record = _record(origin)
        with self._writing():
            durable.write(self._parts / guard.MANIFEST, Manifest(manifest.loaded).write())
            if record is not None:
                content = msgspec.json.format(msgspec.json.encode(record))
                durable.write(self._beside / data_folder.RECORD, content)
            for folder in (self._parts, self._beside):
                durable.sync(folder)
            self._beside.rename(self._path)
            durable.sync(self._path.parent)
            names = sorted(path.name for path in (self._path / data_folder.AOF_FOLDER).iterdir())
            files = [self._path / data_folder.AOF_FOLDER / name for name in names]
        size = sum(path.stat().st_size for path in files)
        server = None if record is None else str(record.server)
        return Copied(origin.address, str(self._path), tuple(names), size, left_out, server)

    def _check(self, entry: Entry, *, last: bool) -> int:
        path = self._parts / os.fsdecode(entry.name)
        if entry.kind is Kind.BASE:
            head, tail = ends(path)
            format_ = rdb.format_of(head)
            if path.suffix == ".rdb" and not (format_ and rdb.ends_whole(tail)):
                raise guard.lost_base(str(path))
            if format_:
                return 0
        seen = scans.scan(chunks(path))
        if not last or seen.tail is Tail.CORRUPT:
            guard.decide(str(path), seen, last=last)
        os.truncate(path, seen.safe_end)
        durable.sync(path)
        return seen.excess

    def _is_empty(self) -> bool:
        return self._path.is_dir() and not any(self._path.iterdir())

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError(
                "data.locked",
                f"another copy to {self._path} is under way",
                why=f"another process holds {self._beside}",
                do="wait for it, or copy to another folder",
            ) from error

    def _not_empty(self) -> DataError:
        return DataError(
            "data.not_empty",
            f"{self._path} exists and is no empty folder",
            why="a copy is never mixed with other files",
            do="sturdis copy DIR, with a folder that is empty or not there",
        )

    def _writing(self) -> AbstractContextManager[None]:
        return data_folder.refusing(
            self._path,
            what="the copy {} cannot be made",
            do="make room, or name another folder: sturdis copy DIR",
        )


def _copied(source: Path, to: Path) -> Iterator[int]:
    """Copy as many bytes as there are now, to the disk; yield how many, chunk by chunk."""
    with source.open("rb") as reader, to.open("xb") as writer:
        left = os.fstat(reader.fileno()).st_size
        while left and (chunk := reader.read(min(CHUNK, left))):
            writer.write(chunk)
            left -= len(chunk)
            yield len(chunk)
        writer.flush()
        os.fsync(writer.fileno())


def _record(origin: Origin) -> Record | None:
    """Say which server the copy is for: that of the data folder, else the program that runs."""
    beside = Path(origin.folder).parent / data_folder.RECORD
    if known := durable.read(beside, Record):
        return known
    with contextlib.suppress(ServerError):
        found = binaries.inspect(origin.server.path)
        if (found.product, found.version) == (origin.server.product, origin.server.version):
            return Record(found, embedded=binaries.is_embedded(found))
    return None
