"""A consistent copy of a live server's append-only file: what is copied, and what must hold."""

from dataclasses import dataclass

from sturdis.core.aof.manifest import Manifest
from sturdis.core.errors import DataError, TargetError
from sturdis.core.servers import Server


@dataclass(frozen=True)
class Origin:
    """Where a running server keeps its append-only file, by its own words."""

    address: str
    """Without the password."""
    folder: str
    """Of the manifest and the files that it names."""
    manifest: str
    """The manifest's file name."""
    server: Server
    """Its path is that of the program that runs."""


@dataclass(frozen=True)
class Step:
    """How far a copy has come: of the rewrite in keys, of the copying in bytes."""

    doing: str
    done: int
    total: int
    """0 where it is not known."""


@dataclass(frozen=True)
class Copied:
    """A copy that was made and checked."""

    address: str
    folder: str
    files: tuple[str, ...]
    size: int
    """Bytes in all."""
    left_out: int
    """Bytes of a write that was under way when the last file's end was read."""
    server: str | None
    """What `up` runs on it unasked; None: the program was not found, `--server` is needed."""


def require_rewritten(origin: Origin, before: Manifest, after: Manifest) -> None:
    """Make sure that the files looked at are those that the server writes.

    Raises:
        TargetError: `target.files_elsewhere`.
    """
    if before == after:
        raise files_elsewhere(origin, "the server rewrote its file, and this one did not change")


def files_elsewhere(origin: Origin, why: str) -> TargetError:
    """Say that the server's files are not at hand."""
    return TargetError(
        "target.files_elsewhere",
        f"the files of {origin.address} are not at hand in {origin.folder}",
        why=why,
        do="sturdis copy where that server runs, as a user who may read its files",
    )


def require_kept(copied: Manifest, now: Manifest) -> None:
    """Make sure that nothing was removed while it was copied.

    A rewrite in between does no harm: what it replaced is kept until the copy is done.

    Raises:
        DataError: `data.changed`.
    """
    gone = {one.name for one in copied.loaded} - {one.name for one in now.entries}
    if gone:
        raise DataError(
            "data.changed",
            "the append-only file was replaced while it was copied",
            why=f"the manifest no longer names {b', '.join(sorted(gone)).decode(errors='replace')}",
            do="sturdis copy again, when nothing switches appendonly or aof-disable-auto-gc",
        )
