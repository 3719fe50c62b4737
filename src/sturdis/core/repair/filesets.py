"""Which files make up the append-only file: by its manifest, or by their names where that is lost.

`appendonly.aof.2.base.rdb`, `appendonly.aof.3.incr.aof`: the numbers of base and increments part
after a rewrite that failed, and an increment's is never below that of its base.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from sturdis.core.aof import guard
from sturdis.core.aof import manifest as manifests
from sturdis.core.aof.manifest import Entry, Kind, Manifest, ManifestError

_NAME = re.compile(
    r"(?P<stem>.+)\.(?P<number>[1-9][0-9]{0,17})\.(?:(?P<base>base)\.(?:rdb|aof)|incr\.aof)"
)


@dataclass(frozen=True)
class FileSet:
    """The files that are loaded, in order, and what was wrong with what leads them."""

    base: Entry | None
    increments: tuple[Entry, ...]
    problem: str
    """What was found wrong with the manifest; empty: nothing."""
    base_lost: bool
    """Whether there was a base, or must have been, and it is not there."""
    gap_before: frozenset[bytes]
    """Increments before which another one is missing."""
    by_names: bool = False
    """Whether no manifest says so."""
    undecided: tuple[str, ...] = ()
    """What is loaded though it may not belong to the rest, and why."""

    @property
    def loaded(self) -> tuple[Entry, ...]:
        """All that are there, in the order in which a server loads them."""
        return (*((self.base,) if self.base else ()), *self.increments)


def find(text: bytes | None, present: Collection[str]) -> FileSet | None:
    """Say which files belong together; None: none does, it is no append-only file.

    Args:
        text: The manifest; None: it is not there.
        present: Names of the files beside it.
    """
    named = _read(text, present)
    if isinstance(named, Manifest):
        return _by_manifest(named, present)
    return _by_names(named, present)


def _read(text: bytes | None, present: Collection[str]) -> Manifest | str:
    """Give the manifest, or what is wrong with it."""
    if text is None:
        return f"{guard.MANIFEST} is missing"
    try:
        manifest = manifests.parse(text)
    except ManifestError as error:
        return f"{guard.MANIFEST} cannot be read: {error}"
    for entry in manifest.entries:
        if odd := _odd(entry, present):
            return f"{guard.MANIFEST} is damaged: {odd}"
    if not manifest.increments:
        return f"{guard.MANIFEST} names no increment"
    first = min(one.sequence for one in manifest.increments)
    for entry in manifest.entries:
        if entry.kind is Kind.HISTORY and b".incr." in entry.name and entry.sequence > first:
            return (
                f"{guard.MANIFEST} is damaged: it gives up {_text(entry)}, which is not the oldest"
            )
    return manifest


def _odd(entry: Entry, present: Collection[str]) -> str:
    """Say what in an entry does not fit the name that servers give a file."""
    found = _NAME.fullmatch(_text(entry))
    if found is None:
        return "" if _text(entry) in present else f"it names {_text(entry)}, which no server writes"
    if int(found["number"]) != entry.sequence:
        return f"{_text(entry)} has the number {entry.sequence} in it"
    is_base = entry.kind is Kind.BASE
    if entry.kind is not Kind.HISTORY and bool(found["base"]) != is_base:
        return f"{_text(entry)} is no {'base' if is_base else 'increment'} by its name"
    return ""


def _by_manifest(manifest: Manifest, present: Collection[str]) -> FileSet:
    base = manifest.base
    base_lost = base is not None and _text(base) not in present
    there = [one for one in manifest.increments if _text(one) in present]
    missing = [one for one in manifest.increments if _text(one) not in present]
    gaps = frozenset(
        next((one.name for one in there if one.sequence > gone.sequence), b"") for gone in missing
    )
    names = [_text(one) for one in missing]
    return FileSet(
        None if base_lost else base,
        tuple(there),
        f"missing: {', '.join(names)}" if names else "",
        base_lost,
        gaps - {b""},
    )


def _by_names(problem: str, present: Collection[str]) -> FileSet | None:
    bases: list[Entry] = []
    increments: list[Entry] = []
    for name in present:
        if found := _NAME.fullmatch(name):
            kind = Kind.BASE if found["base"] else Kind.INCREMENT
            entry = Entry(name.encode(errors="surrogateescape"), int(found["number"]), kind)
            (bases if found["base"] else increments).append(entry)
    if not bases and not increments:
        return None
    base = max(bases, key=lambda one: one.sequence, default=None)
    first = base.sequence if base else 0
    kept = sorted(
        (one for one in increments if one.sequence >= first), key=lambda one: one.sequence
    )
    return FileSet(base, tuple(kept), problem, base is None, frozenset(), by_names=True)


def renamed(
    found: FileSet, changed: Collection[bytes], present: Collection[str]
) -> dict[bytes, Entry]:
    """Give each file that is loaded its entry from now on.

    From the first increment that changes on, all get names that nothing has yet: the old set stays
    as it is until the new manifest takes the place of the old one.
    """
    numbers = [int(one["number"]) for name in present if (one := _NAME.fullmatch(name))]
    numbers += [one.sequence for one in found.loaded]
    highest = max(numbers, default=0)
    entries: dict[bytes, Entry] = {}
    if found.base is not None:
        entries[found.base.name] = found.base
        if found.base.name in changed:
            entries[found.base.name] = _entry(found.base, highest + 1)
    is_new = False
    for entry in found.increments:
        is_new = is_new or entry.name in changed
        if is_new:
            highest += 1
        entries[entry.name] = _entry(entry, highest) if is_new else entry
    return entries


def _entry(old: Entry, number: int) -> Entry:
    found = _NAME.fullmatch(_text(old))
    stem = found["stem"] if found else guard.SINGLE_FILE
    rest = "base.aof" if old.kind is Kind.BASE else "incr.aof"
    return Entry(f"{stem}.{number}.{rest}".encode(errors="surrogateescape"), number, old.kind)


def _text(entry: Entry) -> str:
    return entry.name.decode(errors="surrogateescape")
