"""Before a start: see that the server can load what the folder holds, and later again.

What an interrupted write left at the end of the append-only file is cut off and kept beside it,
temporary files of ended servers are removed; all else that is wrong is refused. docs/adr/0018.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from sturdis.adapters import durable
from sturdis.adapters.local import data_folder
from sturdis.adapters.local.data_folder import AOF_FOLDER, CUT_FOLDER, DataFolder
from sturdis.core import servers
from sturdis.core.aof import guard, rdb
from sturdis.core.aof import scan as scans
from sturdis.core.aof.guard import Cut, Mended
from sturdis.core.aof.manifest import Manifest
from sturdis.core.servers import Server

CHUNK = 1 << 20
"""Bytes read at once: smaller chunks took longer to scan, larger ones no less long."""


def make_safe(folder: DataFolder, server: Server) -> Mended | None:
    """Mend the append-only file in `folder` for `server`; no server may run on it.

    Interrupted at any point and called again, it does the rest:
    bytes are kept and on the disk before they are cut. Called twice, the second call does nothing.

    Returns:
        What was done; None where nothing was to be done.

    Raises:
        DataError: `data.rdb_only`, `data.single_file`, `data.manifest`, `data.missing_file`,
            `data.newer_server`, `data.corrupt`, `data.torn_earlier`, `data.long_tail` with the
            append-only file as it was; `data.not_writable`; `data.locked`.
    """
    folder.lock_for_server()
    parts = folder.path / AOF_FOLDER
    with data_folder.refusing(folder.path):
        manifest = read_manifest(folder.path, parts)
        cut = None
        if manifest is not None:
            _require_base(parts, manifest, server)
            cut = _find_cut(parts, manifest)
        kept = "" if cut is None else str(_keep_and_cut(cut, folder.path / CUT_FOLDER))
        removed = (*_remove_stale(folder.path), *_remove_stale(parts))
    return Mended(cut, kept, removed) if cut or removed else None


def read_manifest(folder: Path, parts: Path) -> Manifest | None:
    """Read the manifest; None where no server has written yet.

    Raises:
        DataError: `data.rdb_only`, `data.single_file`, `data.manifest` or `data.missing_file`.
    """
    path = parts / guard.MANIFEST
    there = path.exists()
    guard.refuse_other_forms(str(folder), names_in(folder), has_manifest=there)
    if there:
        manifest = guard.read_manifest(str(path), path.read_bytes())
        files = {os.fsencode(one) for one in names_in(parts) if (parts / one).is_file()}
        guard.require_files(str(parts), manifest, files)
        return manifest
    names = {name for name in names_in(parts) if not name.startswith("temp-")}
    if all(_of_an_unfinished_start(parts / name) for name in names):
        return None
    raise guard.missing_manifest(str(parts), names)


def _of_an_unfinished_start(path: Path) -> bool:
    """Tell whether a first start that was interrupted left the file: the manifest comes last."""
    return path.stat().st_size == 0 or rdb.is_empty(_head(path))


def _require_base(parts: Path, manifest: Manifest, server: Server) -> None:
    if manifest.base is None:
        return
    path = parts / os.fsdecode(manifest.base.name)
    base = rdb.format_of(_head(path))
    if base is None and path.suffix == ".rdb":
        raise guard.lost_base(str(path))
    servers.refuse_unreadable_base(server, base, str(parts))


def _find_cut(parts: Path, manifest: Manifest) -> Cut | None:
    """Scan the increments; those before the last are there only when a rewrite broke off."""
    cut = None
    for entry in manifest.increments:
        path = parts / os.fsdecode(entry.name)
        last = entry is manifest.increments[-1]
        cut = guard.decide(str(path), scans.scan(chunks(path)), last=last)
    return cut


def chunks(path: Path) -> Iterator[bytes]:
    """Read a file in the chunks that suit `scan`."""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _keep_and_cut(cut: Cut, beside: Path) -> Path:
    path = Path(cut.file)
    with path.open("r+b") as file:
        file.seek(cut.offset)
        kept = _keep(file.read(), beside, f"{path.name}.{cut.offset}")
        file.truncate(cut.offset)
        os.fsync(file.fileno())
    return kept


def _keep(content: bytes, beside: Path, name: str) -> Path:
    """Write `content` below `beside`, all of it on the disk; what was kept before stays."""
    beside.mkdir(mode=0o700, exist_ok=True)
    number, path = 1, beside / name
    while path.exists():
        if path.read_bytes() == content:  # kept by a run that was interrupted
            return path
        number += 1
        path = beside / f"{name}-{number}"
    unfinished = beside / f"{name}.new"
    durable.write(unfinished, content)
    unfinished.replace(path)
    for folder in (beside, beside.parent):
        durable.sync(folder)
    return path


def _remove_stale(folder: Path) -> tuple[str, ...]:
    names = guard.stale(names_in(folder))
    for name in names:
        (folder / name).unlink()
    return tuple(str(folder / name) for name in names)


def names_in(folder: Path) -> list[str]:
    """Name what is in a folder; nothing where there is none."""
    return [one.name for one in folder.iterdir()] if folder.is_dir() else []


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(rdb.HEAD_BYTES)


def ends(path: Path) -> tuple[bytes, bytes]:
    """Read the head of a base and as many bytes at its end, as `rdb` wants them."""
    with path.open("rb") as file:
        head = file.read(rdb.HEAD_BYTES)
        file.seek(max(0, path.stat().st_size - rdb.HEAD_BYTES))
        return head, file.read()
