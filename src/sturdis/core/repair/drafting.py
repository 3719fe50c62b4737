"""A draft of the repaired set: which files it has, and what each holds."""

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from sturdis.core.aof import guard
from sturdis.core.aof.layout import Span
from sturdis.core.aof.manifest import Entry, Kind, Manifest
from sturdis.core.bullmq.ids import LONGEST_ID, Numbers
from sturdis.core.repair import filesets, mending, regions
from sturdis.core.repair.filesets import FileSet
from sturdis.core.repair.mended import Increment, Mending
from sturdis.core.repair.plan import Base, FilePlan

Chunks = Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class Parts:
    """What a folder holds, as far as a draft needs it."""

    files: FileSet
    base: Increment | None
    """The base, where it is no RDB."""
    base_is_whole: bool
    """Whether an RDB begins and ends as one."""
    increments: tuple[Increment, ...]
    present: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """One way to keep what is there."""

    base: Base
    mending: Mending
    manifest: Manifest
    """What leads it."""
    contents: Mapping[bytes, Chunks | bytes]
    """New name of each file to what it holds, or to the name of the file that it stays."""
    former: Mapping[bytes, bytes]
    """New name of each file to its old one."""

    @property
    def new(self) -> tuple[bytes, ...]:
        """Names that the folder does not have yet."""
        return tuple(name for name, old in self.former.items() if name != old)


def draft(
    parts: Parts,
    arities: Mapping[bytes, int],
    *,
    base_is_bad: bool = False,
    deep: bool = False,
    strays: Mapping[tuple[int, bytes], int] = MappingProxyType({}),
) -> Draft:
    """Decide what is kept.

    Args:
        parts: What there is.
        arities: Commands that the server knows, as for `core/aof/scan.run`.
        base_is_bad: Whether a server does not load the base.
        deep: Look at every unit: for damage that breaks none.
        strays: As for `mending.mend`.
    """
    base_is_bad = base_is_bad or not parts.base_is_whole
    files, texts = _texts(parts, base_is_bad=base_is_bad)
    mended = mending.mend(texts, arities, deep=deep, strays=strays)
    changed = {_encoded(one.name) for one in mended.files if one.changed}
    entries = filesets.renamed(files, changed | {files.increments[-1].name}, parts.present)
    contents: dict[bytes, Chunks | bytes] = {}
    for one, text in zip(mended.files, texts, strict=True):
        name = _encoded(one.name)
        stays = not one.changed and one.name in parts.present
        contents[entries[name].name] = name if stays else functools.partial(one.chunks, text.text)
    if parts.base is None and files.base is not None:
        contents[files.base.name] = files.base.name
    former = {entry.name: old for old, entry in entries.items()}
    manifest = Manifest(tuple(entries.values()))
    return Draft(_base(parts, mended, base_is_bad=base_is_bad), mended, manifest, contents, former)


def _texts(parts: Parts, *, base_is_bad: bool) -> tuple[FileSet, list[Increment]]:
    """Give the files that are used, and the bytes of those that are no RDB."""
    files, increments = _with_one(parts.files, parts.increments)
    lost = files.base_lost or base_is_bad
    texts = [
        replace(one, lost_before=(lost and n == 0) or _encoded(one.name) in files.gap_before)
        for n, one in enumerate(increments)
    ]
    if parts.base is not None:
        texts.insert(0, parts.base)
    return replace(files, base=None) if base_is_bad else files, texts


def _base(parts: Parts, mended: Mending, *, base_is_bad: bool) -> Base:
    if parts.files.base_lost:
        return Base.LOST
    if base_is_bad:
        return Base.DAMAGED
    if parts.files.base is None:
        return Base.NONE
    return Base.MENDED if parts.base is not None and mended.files[0].changed else Base.WHOLE


def _with_one(
    files: FileSet, increments: tuple[Increment, ...]
) -> tuple[FileSet, tuple[Increment, ...]]:
    """Give a set that has an increment: an empty one, where none is left."""
    if increments:
        return files, increments
    number = files.base.sequence if files.base else 1
    name = f"{guard.SINGLE_FILE}.{number}.incr.aof"
    entry = Entry(name.encode(), number, Kind.INCREMENT)
    return replace(files, increments=(entry,)), (Increment(name, b"", lost_before=True),)


def safe_cut(parts: Parts, made: Draft) -> tuple[Manifest, Mapping[bytes, Chunks | bytes]] | None:
    """Give what is left when all behind the first damage is cut off; None: nothing loads."""
    if parts.files.problem or made.base in (Base.LOST, Base.DAMAGED):
        return None
    texts = [*((parts.base,) if parts.base else ()), *parts.increments]
    contents: dict[bytes, Chunks | bytes] = {}
    for one, text in zip(made.mending.files, texts, strict=True):
        name = _encoded(one.name)
        contents[name] = name
        if one.gaps:
            beginning = Span(0, one.gaps[0].start)
            contents[name] = functools.partial(regions.slices, text.text, beginning)
            break
    if parts.base is None and parts.files.base is not None:
        contents[parts.files.base.name] = parts.files.base.name
    entries = tuple(one for one in parts.files.loaded if one.name in contents)
    return Manifest(entries), contents


def file_plans(parts: Parts, made: Draft, sizes: Mapping[bytes, int]) -> Iterator[FilePlan]:
    """Say what happens to each file; `sizes` are those of the new files in bytes."""
    new = {old: name for name, old in made.former.items()}
    if parts.files.base is not None and parts.base is None:
        name = parts.files.base.name
        stays = "" if made.base is Base.DAMAGED else _text(name)
        yield FilePlan(_text(name), stays, (), 0, 0, 0)
    for one in made.mending.files:
        becomes = new[_encoded(one.name)]
        kept = one.pieces.kept
        added = max(0, sizes.get(becomes, kept) - kept)
        yield FilePlan(one.name, _text(becomes), one.gaps, kept, one.units, added)


def highest_ids(lost: Sequence[bytes], bases: Sequence[bytes]) -> dict[bytes, Numbers]:
    """Give the highest job ids that lost bytes name, by the beginning of the queue's keys.

    Only a number that ends as an id does is one: many a UUID begins with digits.
    """
    found = {}
    for base in bases:
        ids = re.compile(re.escape(base) + rb":([0-9]{1,%d})(?=\r\n|[:\"])" % LONGEST_ID)
        found[base] = Numbers.of(one for some in lost for one in ids.findall(some))
    return found


def _encoded(name: str) -> bytes:
    return name.encode(errors="surrogateescape")


def _text(name: bytes) -> str:
    return name.decode(errors="surrogateescape")
