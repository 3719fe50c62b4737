"""What is done to a folder that was whole: every kind of damage, drawn from a seed alone."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sturdis.core.aof.guard import MANIFEST
from tests.repair.source import Source
from tests.repair.units import Unit, units

PAGE = 4096
"""Bytes of the longest damaged region: a page of memory, and of most disks."""


@dataclass(frozen=True)
class Mark:
    """Where a file was damaged, in offsets of the file that was whole.

    From `start` to before `end` bytes are gone or wrong; where they are one, bytes came in there.
    """

    file: str
    start: int
    end: int


@dataclass(frozen=True)
class Damaged:
    """The files after the damage, and what was done to which."""

    files: Mapping[str, bytes]
    marks: tuple[Mark, ...]


Blow = Callable[[random.Random, bytes, int], tuple[bytes, int, int]]
"""Damages a file's bytes near an offset; gives them, and from where to where they are wrong."""


def _size(dice: random.Random) -> int:
    """Draw a region's size: small ones as often as large ones."""
    return min(PAGE, int(2 ** dice.uniform(0, 12.01)))


def _bit(dice: random.Random, whole: bytes, at: int) -> tuple[bytes, int, int]:
    flipped = bytes([whole[at] ^ (1 << dice.randrange(8))])
    return whole[:at] + flipped + whole[at + 1 :], at, at + 1


def _byte(dice: random.Random, whole: bytes, at: int) -> tuple[bytes, int, int]:
    other = bytes([whole[at] ^ dice.randrange(1, 256)])
    return whole[:at] + other + whole[at + 1 :], at, at + 1


def _cut(_dice: random.Random, whole: bytes, at: int) -> tuple[bytes, int, int]:
    return whole[:at], at, len(whole)


def _nuls(dice: random.Random, whole: bytes, at: int) -> tuple[bytes, int, int]:
    end = min(len(whole), at + _size(dice))
    return whole[:at] + bytes(end - at) + whole[end:], at, end


def _nul_tail(dice: random.Random, whole: bytes, at: int) -> tuple[bytes, int, int]:
    kept = dice.choice((len(whole), max(at, len(whole) - _size(dice))))
    return whole[:kept] + bytes(_size(dice)), kept, len(whole)


def _duplicated(dice: random.Random, whole: bytes, at: int) -> tuple[bytes, int, int]:
    end = min(len(whole), at + _size(dice))
    return whole[:end] + whole[at:], end, end


def _missing(dice: random.Random, whole: bytes, at: int) -> tuple[bytes, int, int]:
    end = min(len(whole), at + _size(dice))
    return whole[:at] + whole[end:], at, end


def _swapped(dice: random.Random, whole: bytes, at: int) -> tuple[bytes, int, int]:
    size = dice.choice((512, PAGE))
    at = min(at, len(whole) - 2 * size) // size * size
    one, two = whole[at : at + size], whole[at + size : at + 2 * size]
    return whole[:at] + two + one + whole[at + 2 * size :], at, at + 2 * size


def _garbage(dice: random.Random, whole: bytes, at: int) -> tuple[bytes, int, int]:
    return whole[:at] + dice.randbytes(_size(dice)) + whole[at:], at, at


def _repeated(dice: random.Random, whole: bytes, at: int) -> tuple[bytes, int, int]:
    some = _some_units(dice, whole, at)
    return whole[: some.end] + whole[some.start :], some.end, some.end


def _skipped(dice: random.Random, whole: bytes, at: int) -> tuple[bytes, int, int]:
    some = _some_units(dice, whole, at)
    return whole[: some.start] + whole[some.end :], some.start, some.end


def _some_units(dice: random.Random, whole: bytes, at: int) -> Unit:
    """Give a run of one to eight whole units about an offset."""
    all_ = list(units(whole))
    first = next(number for number, one in enumerate(all_) if one.end > at)
    last = min(len(all_) - 1, first + dice.randrange(8))
    return Unit(all_[first].start, all_[last].end)


INSIDE: Mapping[str, Blow] = {
    "bit": _bit,
    "byte": _byte,
    "nuls": _nuls,
    "duplicated": _duplicated,
    "repeated": _repeated,
    "missing": _missing,
    "skipped": _skipped,
    "swapped": _swapped,
    "garbage": _garbage,
}
"""Damage in the middle of any increment; `repeated` and `skipped` meet whole units exactly."""

TOGETHER = ("bit", "byte", "nuls", "duplicated", "missing", "garbage")
"""Those of them that need not know where units or blocks lie, so that two can meet in one file."""

TAIL: Mapping[str, Blow] = {"cut": _cut, "nul-tail": _nul_tail}
"""Damage that reaches to the end of the last increment."""

BASE: Mapping[str, Blow] = {"base-bit": _bit, "base-cut": _cut}

KINDS = (
    *INSIDE, *TAIL, *BASE, "earlier-cut", "manifest-lost", "manifest-empty", "base-lost", "two",
)  # fmt: skip

FOR_ALL = ("rdb-1", "aof-1", "new-1", "rdb-3", "node-2")
WITH_BASE = ("rdb-1", "aof-1", "rdb-3", "node-2")
WITH_EARLIER = ("rdb-3", "node-2")


def shapes(kind: str) -> Sequence[str]:
    """Name the shapes of folder that a kind of damage is for."""
    if kind == "earlier-cut":
        return WITH_EARLIER
    return WITH_BASE if kind.startswith("base") else FOR_ALL


def damage(source: Source, kind: str, dice: random.Random) -> Damaged:
    """Damage a folder in one way, or in two."""
    files, marks = dict(source.files), []
    for file, at, blow in sorted(_strokes(source, kind, dice), key=lambda one: -one[1]):
        files[file], start, end = blow(dice, files[file], at)
        marks.append(Mark(file, start, end))
    if kind == "manifest-lost":
        del files[MANIFEST]
    if kind == "manifest-empty":
        files[MANIFEST] = b""
    if kind == "base-lost":
        del files[source.base]
        marks.append(Mark(source.base, 0, len(source.files[source.base])))
    return Damaged(files, tuple(marks))


def _strokes(source: Source, kind: str, dice: random.Random) -> Iterator[tuple[str, int, Blow]]:
    """Give file, offset and blow; of two in one file the later is to be dealt first."""
    if kind in INSIDE:
        file = dice.choice(source.increments)
        yield file, _inside(dice, source.files[file]), INSIDE[kind]
    elif kind in TAIL or kind == "earlier-cut":
        blow = TAIL.get(kind, _cut)
        file = source.increments[-1] if kind in TAIL else dice.choice(source.increments[:-1])
        yield file, _inside(dice, source.files[file]), blow
    elif kind in BASE:
        yield source.base, dice.randrange(len(source.files[source.base])), BASE[kind]
    elif kind == "two":
        yield from _strokes(source, dice.choice(TOGETHER), dice)
        others = (*TOGETHER, *TAIL, *(BASE if source.shape in WITH_BASE else ()))
        yield from _strokes(source, dice.choice(others), dice)


def _inside(dice: random.Random, whole: bytes) -> int:
    """Draw an offset that is neither at the very beginning nor at the very end."""
    return dice.randrange(len(whole) // 20, len(whole) * 19 // 20)
