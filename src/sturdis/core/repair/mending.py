"""What is kept of damaged increments, as pieces to write: units in context, nothing guessed.

Before the first gap everything stays byte for byte. Behind it units are kept with the database that
they are for; a command that takes whatever stands first in a list is written as what it did, where
its unit names the job, and left out and told of where not. docs/adr/0053.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sturdis.core.repair import duplicates, jobs, regions
from sturdis.core.repair.databases import Databases, selected
from sturdis.core.repair.mended import GAP_BYTES, MOST_NOTES, Increment, Mended, Mending, Note
from sturdis.core.repair.regions import Regions, Span
from sturdis.core.repair.units import Unit, Words, units, written

_RELATIVE = frozenset(
    b"APPEND BITFIELD DECR DECRBY HINCRBY HINCRBYFLOAT INCR INCRBY INCRBYFLOAT LINSERT LMOVE "
    b"LPOP LSET LTRIM RENAME RENAMENX RPOP RPOPLPUSH SETBIT SETRANGE SPOP ZINCRBY ZPOPMAX "
    b"ZPOPMIN".split()
)
"""Their effect depends on what was there before."""


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
                writer.keep(span.start, span.end)
            else:
                writer.walk(span, 0 if is_first else None, find_repeats=self._deep)
            self.mending.lost.extend(
                bytes(increment.text[one.start : min(one.end, one.start + GAP_BYTES)])
                for one in found.gaps
                if one.start == span.end
            )
        self._lost = self._lost or bool(found.gaps)
        self.mending.files.append(
            Mended(increment.name, found.size, found.gaps, writer.pieces(), writer.units)
        )

    def is_behind_loss(self) -> bool:
        """Tell whether something before is not known."""
        return self._lost

    def may_be_touched(self, key: bytes) -> bool:
        """Tell whether what was lost names a key."""
        return any(key in some for some in self.mending.lost)

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
        self._pieces: list[Span | bytes] = []
        self.units = 0

    def pieces(self) -> tuple[Span | bytes, ...]:
        return tuple(one for one in self._pieces if isinstance(one, bytes) or one.end > one.start)

    def keep(self, start: int, end: int) -> None:
        """Keep bytes as they are."""
        last = self._pieces[-1] if self._pieces else None
        if isinstance(last, Span) and last.end == start:
            self._pieces[-1] = Span(last.start, end)
        else:
            self._pieces.append(Span(start, end))

    def walk(self, span: Span, db: int | None, *, find_repeats: bool) -> None:
        """Keep the units of a whole part, each in its context; `db` None: to be found out."""
        text, at = self._increment.text, span.start
        found = duplicates.repeats(text, span.start, span.end) if find_repeats else ()
        repeats = [Span(*one) for one in found]
        if db is None:
            db = self._context(span)
            if db is not None:
                self._pieces.append(written(b"SELECT", b"%d" % db))
        for unit in units(text, span.start, span.end):
            while repeats and repeats[0].end <= unit.start:
                repeats.pop(0)
            if repeats and repeats[0].start <= unit.start:
                self._mender.mending.duplicates += 1
                self.keep(at, unit.start)
                at = unit.end
                continue
            if (home := self._mender.home(unit, db)) is not None:
                self.keep(at, unit.start)
                at, db = unit.start, home
                self._pieces.append(written(b"SELECT", b"%d" % home))
            before, db = db, self._after(unit, db)
            kept = self._kept(unit, before)
            if kept is None:
                self.keep(at, unit.end)
            else:
                self.keep(at, unit.start)
                self._pieces.append(kept)
            at = unit.end
        self.keep(at, span.end)

    def _context(self, span: Span) -> int | None:
        """Find the database of the units from a gap to the next SELECT."""
        keys: list[bytes] = []
        following = None
        for unit in units(self._increment.text, span.start, span.end):
            for command in unit.commands:
                if command.name == b"SELECT":
                    following = int(command.words[1])
                    break
                keys.append(command.words[1] if len(command.words) > 1 else b"")
            if following is not None or len(keys) > MOST_NOTES:
                break
        return self._mender.infer(keys, following) if keys else 0

    def _after(self, unit: Unit, db: int | None) -> int | None:
        for command in unit.commands:
            db = _selected(command.words, db)
        return db

    def _kept(self, unit: Unit, db: int | None) -> bytes | None:
        """Give what is written for a unit in its place; None: its own bytes."""
        mender, commands = self._mender, [one.words for one in unit.commands]
        if not mender.is_behind_loss():
            return None
        if db is None and commands[0][0].upper() != b"SELECT":
            self._note(unit, 0, "its database is not known: SELECT was lost")
            return _selects(commands)
        self.units += 1
        kept, changed = self._in_context(unit, commands)
        self._tell(db or 0, kept)
        if not changed:
            return None
        body = b"".join(written(*words) for words in kept)
        if len(kept) < 2:  # noqa: PLR2004  one effect needs no transaction
            return body
        return written(b"MULTI") + body + written(b"EXEC")

    def _in_context(self, unit: Unit, commands: Sequence[Words]) -> tuple[list[Words], bool]:
        kept: list[Words] = []
        changed = False
        for number, words in enumerate(commands):
            instead = self._instead(unit, number, commands)
            changed = changed or instead != (words,)
            kept.extend(instead)
        return kept, changed

    def _instead(self, unit: Unit, number: int, commands: Sequence[Words]) -> tuple[Words, ...]:
        words = commands[number]
        if jobs.is_blind(words):
            instead = jobs.explicit(words, commands)
            if instead is None:
                self._note(unit, number, "which job it took depends on what is lost")
                return ()
            self._mender.mending.explicit += 1
            return instead
        if words[0].upper() in _RELATIVE and self._depends_on_lost(words):
            self._note(unit, number, "what it makes of its key depends on what is lost")
            return ()
        return (words,)

    def _depends_on_lost(self, words: Words) -> bool:
        """Tell whether lost bytes name the key; BullMQ's counters are raised, or only count."""
        base, part = jobs.split(words[1])
        if part in jobs.PARTS or (words[0].upper() == b"HINCRBY" and base):
            return False
        return self._mender.may_be_touched(words[1])

    def _tell(self, db: int, commands: Sequence[Words]) -> None:
        plain: list[Words] = []
        for words in commands:
            if words[0].upper() == b"SELECT":
                self._mender.mending.told.update(jobs.told(db, plain))
                db, plain = int(words[1]), []
            else:
                plain.append(words)
        self._mender.mending.told.update(jobs.told(db, plain))

    def _note(self, unit: Unit, number: int, why: str) -> None:
        command = unit.commands[number]
        shown = b" ".join(one[:60] for one in command.words[:4]).decode(errors="replace")
        self._mender.mending.note(Note(self._increment.name, command.start, shown, why))


def _selected(words: Words, db: int | None) -> int | None:
    """Give the database after a command; a server passes over a SELECT that it does not take."""
    if words[0].upper() == b"SELECT" and len(words) > 1 and words[1].isdigit():
        return int(words[1])
    return db


def _selects(commands: Sequence[Words]) -> bytes:
    """Give what a unit selects: that holds for those after it."""
    selects = [words for words in commands if words[0].upper() == b"SELECT"]
    return written(*selects[-1]) if selects else b""
