"""What is kept of damaged increments, as pieces to write: units in context, nothing guessed.

Before the first gap everything stays byte for byte. Behind it units are kept with the database that
they are for; a command that takes whatever stands first in a list is written as what it did, where
its unit names the job, and left out and told of where not. docs/adr/0053.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from sturdis.core.aof.layout import Span
from sturdis.core.repair import duplicates, jobs, regions
from sturdis.core.repair.databases import Databases, selected
from sturdis.core.repair.mended import (
    GAP_BYTES,
    MOST_NOTES,
    Increment,
    Mended,
    Mending,
    Note,
    Pieces,
)
from sturdis.core.repair.regions import Regions
from sturdis.core.repair.units import Unit, Words, units, written

_RELATIVE = frozenset(
    b"APPEND BITFIELD DECR DECRBY HINCRBY HINCRBYFLOAT INCR INCRBY INCRBYFLOAT LINSERT LMOVE "
    b"LPOP LSET LTRIM RENAME RENAMENX RPOP RPOPLPUSH SETBIT SETRANGE SPOP ZINCRBY ZPOPMAX "
    b"ZPOPMIN".split()
)
"""Their effect depends on what was there before."""

MOST_ASKED = 100_000
"""So many answers are remembered whether lost bytes name a key."""


def mend(
    increments: Sequence[Increment],
    arities: Mapping[bytes, int],
    *,
    deep: bool = False,
    strays: Mapping[tuple[int, bytes], int] = MappingProxyType({}),
) -> Mending:
    """Decide what is kept of each increment.

    Args:
        increments: In the order in which a server loads them.
        arities: Commands that the server knows, as for `core/aof/scan.run`.
        deep: Look at every unit, those before the first gap too: for damage that breaks no unit.
        strays: Queues in a database where they do not belong, as `Survey.strays` gives them.
    """
    parted = [regions.part(one.text, arities) for one in increments]
    mender = _Mender(deep=deep, strays=strays)
    if deep or any(one.gaps for one in parted) or any(one.lost_before for one in increments):
        mender.know(increments, parted)
    for increment, found in zip(increments, parted, strict=True):
        mender.file(increment, found)
    return mender.mending


class _Mender:
    def __init__(self, *, deep: bool, strays: Mapping[tuple[int, bytes], int]) -> None:
        self._strays = strays
        self.mending = Mending()
        self._lost = deep
        self._deep = deep
        self._databases = Databases({0})
        self._touched: dict[tuple[int, bytes], bool] = {}

    def know(self, increments: Sequence[Increment], parted: Sequence[Regions]) -> None:
        """Learn which databases there are, and whose keys are whose."""
        self._databases = Databases(set[int]().union(*(selected(one.text) for one in increments)))
        if self._databases.only is not None:
            return
        for increment, found in zip(increments, parted, strict=True):
            self._learn(increment, found)

    def _learn(self, increment: Increment, found: Regions) -> None:
        for span in found.kept:
            db = 0 if span.start == 0 else None
            for unit in units(increment.text, span.start, span.end):
                for command in unit.commands:
                    db = _selected(command.words, db)
                    if db is not None and len(command.words) > 1:
                        self._databases.learn(command.words[1], db)

    def file(self, increment: Increment, found: Regions) -> None:
        """Decide about one file."""
        writer = _Writer(self, increment)
        self._lost = self._lost or increment.lost_before
        for number, span in enumerate(found.kept):
            is_first = number == 0
            if not is_first:
                self._lost = True
            if is_first and not self._lost:
                writer.pieces.keep(span.start, span.end)
            else:
                writer.walk(span, 0 if is_first else None, find_repeats=self._deep)
            self.mending.lost.extend(
                bytes(increment.text[one.start : min(one.end, one.start + GAP_BYTES)])
                for one in found.gaps
                if one.start == span.end
            )
        self._lost = self._lost or bool(found.gaps)
        self.mending.files.append(
            Mended(increment.name, found.size, found.gaps, writer.pieces, writer.units)
        )

    def is_behind_loss(self) -> bool:
        """Tell whether something before is not known."""
        return self._lost

    def may_be_touched(self, key: bytes) -> bool:
        """Tell whether what was lost names a key."""
        lost = self.mending.lost
        if (len(lost), key) not in self._touched:
            if len(self._touched) >= MOST_ASKED:
                self._touched.clear()
            self._touched[len(lost), key] = any(key in some for some in lost)
        return self._touched[len(lost), key]

    def home(self, unit: Unit, db: int | None) -> int | None:
        """Give the database of a unit whose queue does not belong into that at hand."""
        if not self._strays or db is None:
            return None
        keys = (one.words[1] for one in unit.commands if len(one.words) > 1)
        bases = [base for base, part in map(jobs.split, keys) if part in jobs.PARTS]
        return next((self._strays[db, one] for one in bases if (db, one) in self._strays), None)

    def infer(self, keys: Sequence[bytes], following: int | None) -> int | None:
        """Give the database of commands whose SELECT may be lost."""
        return self._databases.infer(keys, following)


class _Writer:
    """Collects the pieces of one file."""

    def __init__(self, mender: _Mender, increment: Increment) -> None:
        self._mender = mender
        self._increment = increment
        self.pieces = Pieces()
        self.units = 0

    def walk(self, span: Span, db: int | None, *, find_repeats: bool) -> None:
        """Keep the units of a whole part, each in its context; `db` None: to be found out."""
        text, at = self._increment.text, span.start
        found = duplicates.repeats(text, span.start, span.end) if find_repeats else ()
        repeats = [Span(*one) for one in found]
        if db is None:
            db = self._context(span)
            if db is not None:
                self.pieces.write(written(b"SELECT", b"%d" % db))
        for unit in units(text, span.start, span.end):
            while repeats and repeats[0].end <= unit.start:
                repeats.pop(0)
            if repeats and repeats[0].start <= unit.start:
                self._mender.mending.duplicates += 1
                self.pieces.keep(at, unit.start)
                at = unit.end
                continue
            if (home := self._mender.home(unit, db)) is not None:
                self.pieces.keep(at, unit.start)
                at, db = unit.start, home
                self.pieces.write(written(b"SELECT", b"%d" % home))
            for start, end, instead in self._edits(unit, db):
                self.pieces.keep(at, start)
                self.pieces.write(instead)
                at = end
            db = _after(unit, db)
        self.pieces.keep(at, span.end)

    def _context(self, span: Span) -> int | None:
        """Find the database of the units from a gap to the next SELECT."""
        keys: list[bytes] = []
        following = None
        for unit in units(self._increment.text, span.start, span.end):
            for command in unit.commands:
                if (following := _selected(command.words, None)) is not None:
                    break
                if command.name != b"SELECT":
                    keys.append(command.words[1] if len(command.words) > 1 else b"")
            if following is not None or len(keys) > MOST_NOTES:
                break
        return self._mender.infer(keys, following) if keys else 0

    def _edits(self, unit: Unit, db: int | None) -> Iterator[tuple[int, int, bytes]]:
        """Give what is not written as it stands: from where to where, and what is instead."""
        if not self._mender.is_behind_loss():
            return
        if db is None and unit.commands and unit.commands[0].name != b"SELECT":
            self._note(unit, 0, "its database is not known: SELECT was lost")
            yield unit.start, unit.end, _selects(unit)
            return
        self.units += 1
        kept: list[Words] = []
        edits: list[tuple[int, int, bytes]] = []
        commands = [one.words for one in unit.commands]
        for number, (start, end, words, name) in enumerate(unit.commands):
            if name not in _RELATIVE or (instead := self._instead(unit, number, commands)) is None:
                kept.append(words)
                continue
            kept.extend(instead)
            edits.append((start, end, b"".join(written(*one) for one in instead)))
        self._tell(db or 0, kept)
        yield from edits if kept else ((unit.start, unit.end, b""),)

    def _instead(
        self, unit: Unit, number: int, commands: Sequence[Words]
    ) -> tuple[Words, ...] | None:
        """Give what is written for a command; None: itself."""
        words = commands[number]
        if jobs.is_blind(words):
            instead = jobs.explicit(words, commands)
            if instead is None:
                self._note(unit, number, "which job it took depends on what is lost")
                return ()
            self._mender.mending.explicit += 1
            return instead
        if self._depends_on_lost(words):
            self._note(unit, number, "what it makes of its key depends on what is lost")
            return ()
        return None

    def _depends_on_lost(self, words: Words) -> bool:
        """Tell whether lost bytes name the key; BullMQ's counters are raised, or only count."""
        base, part = jobs.split(words[1])
        if part in jobs.PARTS or (words[0].upper() == b"HINCRBY" and base):
            return False
        return self._mender.may_be_touched(words[1])

    def _tell(self, db: int, commands: Sequence[Words]) -> None:
        plain: list[Words] = []
        told = self._mender.mending.told
        for words in commands:
            if words[0].upper() == b"SELECT":
                told.update(jobs.told(db, plain))
                db, plain = _selected(words, db) or 0, []
            else:
                plain.append(words)
        told.update(jobs.told(db, plain))

    def _note(self, unit: Unit, number: int, why: str) -> None:
        command = unit.commands[number]
        shown = b" ".join(one[:60] for one in command.words[:4]).decode(errors="replace")
        self._mender.mending.note(Note(self._increment.name, command.start, shown, why))


def _selected(words: Words, db: int | None) -> int | None:
    """Give the database after a command; a server passes over a SELECT that it does not take."""
    if words[0].upper() == b"SELECT" and len(words) > 1 and words[1].isdigit():
        return int(words[1])
    return db


def _after(unit: Unit, db: int | None) -> int | None:
    """Give the database after a unit."""
    for command in unit.commands:
        if command.name == b"SELECT":
            db = _selected(command.words, db)
    return db


def _selects(unit: Unit) -> bytes:
    """Give what a unit selects: that holds for those after it."""
    selects = [one.words for one in unit.commands if one.name == b"SELECT"]
    return written(*selects[-1]) if selects else b""
