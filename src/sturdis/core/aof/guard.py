"""What is done about an append-only file before a server starts on it: mend its end, or refuse.

Only what an interrupted write explains is cut: at most `MAX_CUT` bytes behind the last complete
unit of the last file. All else is refused with the way out, the data untouched: docs/adr/0018.
"""

import re
import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sturdis.core import units
from sturdis.core.aof import manifest as manifests
from sturdis.core.aof.manifest import Manifest, ManifestError
from sturdis.core.aof.scan import Scan, Tail
from sturdis.core.errors import DataError

MAX_CUT = 1 << 20
"""Most bytes that are cut without asking: BullMQ's longest transaction had 247 KB."""

FOLDER = "appendonlydir"
CUT_FOLDER = "cut"
"""In the data folder: where the servers keep the append-only file, and the guard what it cut."""

MANIFEST = "appendonly.aof.manifest"
SINGLE_FILE = "appendonly.aof"
SNAPSHOT = "dump.rdb"
"""Redis' own names for the manifest, for the one file it had before 7.0, and for the RDB."""

_STALE = re.compile(r"temp-(rewriteaof-.*\.aof|.*\.rdb|.*\.manifest)")
"""What a rewrite or snapshot writes before it renames it."""


@dataclass(frozen=True)
class Cut:
    """The end of a file that is taken off."""

    file: str
    offset: int
    """Where the file ends from now on, in bytes."""
    size: int
    """How many bytes go."""
    tail: Tail


@dataclass(frozen=True)
class Mended:
    """What was done before a start."""

    cut: Cut | None
    kept: str
    """Where the bytes that were cut are; empty where none were."""
    removed: tuple[str, ...]
    """Temporary files that an ended server left behind."""


def stale(names: Iterable[str]) -> tuple[str, ...]:
    """Give those names that a server uses only while it runs."""
    return tuple(sorted(name for name in names if _STALE.fullmatch(name)))


def refuse_other_forms(folder: str, names: Collection[str], *, has_manifest: bool) -> None:
    """Stop where the data is in a form that a server would start empty on, or convert.

    Args:
        folder: The data folder, as told to people.
        names: What is in it.
        has_manifest: Whether `appendonlydir/` in it has one; data in other forms is not used then.

    Raises:
        DataError: `data.single_file` or `data.rdb_only`.
    """
    if has_manifest:
        return
    quoted = shlex.quote(folder)
    if SINGLE_FILE in names:
        raise DataError(
            "data.single_file",
            f"{folder} holds an append-only file of Redis before 7.0",
            why=f"{SINGLE_FILE} is one file; since 7.0 it is several, led by a manifest",
            do=f"on a copy: redis-server --dir {quoted} --appendonly yes    (it converts the "
            f"file; end it with SHUTDOWN), then sturdis up --data {quoted} --server PATH",
        )
    if SNAPSHOT in names:
        raise DataError(
            "data.rdb_only",
            f"{folder} holds a snapshot and no append-only file",
            why=f"with appendonly yes a server does not load {SNAPSHOT}: it would start empty",
            do=f"on a copy: redis-server --dir {quoted} ; CONFIG SET appendonly yes, wait until "
            f"INFO says aof_rewrite_in_progress:0, SHUTDOWN, then sturdis up --data {quoted} "
            "--server PATH",
        )


def read_manifest(path: str, text: bytes) -> Manifest:
    """Read the manifest at `path`.

    Raises:
        DataError: `data.manifest`.
    """
    try:
        return manifests.parse(text)
    except ManifestError as error:
        raise DataError(
            "data.manifest",
            f"the manifest {path} cannot be read",
            why=f"line {error.line}: {error.problem}",
            do="mend that line: `file NAME seq NUMBER type b` for the base, `type i` for each "
            "increment, in the order of their numbers; then sturdis up",
        ) from error


def missing_manifest(folder: str, names: Collection[str]) -> DataError:
    """Say that files of an append-only file are there and no manifest leads them."""
    return DataError(
        "data.manifest",
        f"{folder} holds an append-only file without its manifest",
        why=f"{MANIFEST} is missing beside {', '.join(sorted(names)[:3])}: a server would start "
        "empty and write into them",
        do=f"put {MANIFEST} back, or {_repair(folder)}; or move these files away to start empty; "
        "then sturdis up",
    )


def require_files(folder: str, manifest: Manifest, present: Collection[bytes]) -> None:
    """Stop where a file that is to be loaded is not there.

    Raises:
        DataError: `data.missing_file`.
    """
    missing = [one.name for one in manifest.loaded if one.name not in present]
    if missing:
        shown = ", ".join(name.decode(errors="replace") for name in missing)
        raise DataError(
            "data.missing_file",
            f"{folder} lacks what its manifest names",
            why=f"missing: {shown}; no server loads the rest without it",
            do=f"put it back from a copy of the folder, or {_repair(folder)}; then sturdis up",
        )


def lost_base(path: str) -> DataError:
    """Say that a base by its name an RDB is none: loaded as it is, its keys would be gone."""
    return DataError(
        "data.corrupt",
        f"the base {path} is damaged",
        why="it does not begin as an RDB does; emptied, it would load as if it held nothing",
        do="put it back from a copy of the folder, or "
        f"{_repair(path.rpartition('/')[0])}; then sturdis up",
    )


def decide(path: str, scan: Scan, *, last: bool) -> Cut | None:
    """Decide what is cut off the file at `path`; None: nothing, it is whole.

    Args:
        path: The file, as told to people.
        scan: What it was found to be.
        last: Whether nothing is loaded after it.

    Raises:
        DataError: `data.corrupt`, `data.torn_earlier` or `data.long_tail`.
    """
    if scan.tail is Tail.NONE:
        return None
    if scan.tail is Tail.CORRUPT:
        raise _uncuttable("data.corrupt", path, scan, "no interrupted write explains what follows")
    if not last:
        why = f"it ends with {scan.tail.value}, and no server loads the files after it"
        raise _uncuttable("data.torn_earlier", path, scan, why)
    if scan.excess > MAX_CUT:
        why = f"more than {units.human_bytes(MAX_CUT)} is not cut unasked: {scan.tail.value}"
        raise _uncuttable("data.long_tail", path, scan, why)
    return Cut(path, scan.safe_end, scan.excess, scan.tail)


def _uncuttable(code: str, path: str, scan: Scan, why: str) -> DataError:
    odd = f"; the first byte that does not fit is {scan.fault}" if scan.fault < scan.size else ""
    return DataError(
        code,
        f"{path} is whole up to byte {scan.safe_end}, and {units.human_bytes(scan.excess)} follow",
        why=f"{why}{odd}",
        do=f"{_repair(path.rpartition('/')[0])} shows what of it can be kept, and asks; or copy "
        f"the folder, lose what follows with `truncate -c -s {scan.safe_end} {shlex.quote(path)}`; "
        "then sturdis up",
    )


def _repair(parts: str) -> str:
    """Give the command that mends the data folder with the append-only file in `parts`."""
    return f"sturdis repair {shlex.quote(parts.removesuffix(FOLDER).rstrip('/') or '.')}"
