"""A region that stands in a file twice, as storage that repeats a write leaves it."""

from collections.abc import Iterator

from sturdis.core.repair import jobs, units

BEHIND = 4 << 20
"""How far back, in bytes, a first copy is looked for."""

SAMPLE = 64
TRIES = 16
STEP = 1 << 14


def end_of_copy(text: bytes, end: int, start: int, least: int) -> int | None:
    """Give where the repeated units end that a second copy holds; None: there is no second copy.

    A copy of [a, b) inserted at b breaks the unit that stands across b: up to `end` the units are
    whole, and from `start` on again. It is one only where the whole region is there twice, with
    the bytes between `end` and `start`.

    Args:
        text: The file.
        end: Where the last whole unit before the damage ends.
        start: Where whole units begin behind it.
        least: Where the units before the damage begin.
    """
    sample = text[start : start + SAMPLE]
    floor = max(least, start - BEHIND)
    at = end
    for _try in range(TRIES):
        at = text.rfind(sample, floor, at + len(sample) - 1) if at > floor else -1
        if at < 0:
            return None
        shift = start - at
        if _same_before(text, start, shift) + _same_behind(text, start, shift) >= shift:
            return start + (end - at)
    return None


def repeats(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Give each region of a whole part whose units stood right before it, as they are.

    A transaction with an event tells: the event has an id, which is given once.
    """
    seen: dict[int, int] = {}
    bounds: list[int] = []
    until = start
    for unit in units.units(text, start, end):
        bounds.append(unit.start)
        if unit.start < until or not unit.is_transaction:
            continue
        if jobs.event([one.words for one in unit.commands]) is None:
            continue
        first = seen.setdefault(hash(text[unit.start : unit.end]), unit.start)
        if first < unit.start:
            shift = unit.start - first
            before = min(_same_before(text, unit.start, shift), unit.start - until)
            latest = unit.start + _same_behind(text, unit.start, shift) - shift
            begin = max((one for one in bounds if one <= latest), default=-1)
            if begin >= unit.start - before:
                until = begin + shift
                yield begin, until


def _same_before(text: bytes, start: int, shift: int) -> int:
    """Count the bytes right before `start` that stand `shift` bytes earlier too."""
    same = 0
    while same < shift and start - same - shift > 0:
        size = min(STEP, shift - same, start - same - shift)
        here = text[start - same - size : start - same]
        there = text[start - same - size - shift : start - same - shift]
        if here != there:
            pairs = zip(reversed(here), reversed(there), strict=True)
            return same + next(n for n, (one, other) in enumerate(pairs) if one != other)
        same += size
    return same


def _same_behind(text: bytes, start: int, shift: int) -> int:
    """Count the bytes from `start` on that stand `shift` bytes earlier too."""
    same = 0
    while same < shift and start + same < len(text):
        size = min(STEP, shift - same, len(text) - start - same)
        here = text[start + same : start + same + size]
        there = text[start + same - shift : start + same - shift + size]
        if here != there:
            pairs = zip(here, there, strict=True)
            return same + next(n for n, (one, other) in enumerate(pairs) if one != other)
        same += size
    return same
