"""The batches on record: a file of JSON lines that several processes may append to."""

import fcntl
import os
from pathlib import Path

from sturdis.core.drill import record_table
from sturdis.core.drill.record_table import Batch

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs/drill-record.jsonl"


def read(path: Path = RESULTS) -> list[Batch]:
    """Give the batches on record; none before the first."""
    if not path.exists():
        return []
    return record_table.decode(path.read_bytes().splitlines(keepends=True))


def append(batch: Batch, path: Path = RESULTS) -> None:
    """Add a batch, on disk when this returns; a line that a killed writer left is ended first."""
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
        file.write(b"\n" * torn + record_table.encode(batch))
        file.flush()
        os.fsync(file.fileno())


def forget(done: "set[tuple[object, ...]]", path: Path = RESULTS) -> None:
    """Take batches off the record, so that they are run again; whole or not at all."""
    kept = [one for one in read(path) if one.key not in done]
    made = path.with_suffix(".new")
    made.write_bytes(b"".join(map(record_table.encode, kept)))
    made.replace(path)
