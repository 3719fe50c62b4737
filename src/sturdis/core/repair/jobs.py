"""What commands say about the state of BullMQ's jobs.

The effects of BullMQ's scripts stand in the file as they are: `LREM active`, `ZADD completed`.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from sturdis.core.bullmq import keys
from sturdis.core.bullmq.states import STATES
from sturdis.core.repair.units import Words

LISTS = frozenset(state.part.encode() for state in STATES if state.count == "LLEN")
SETS = frozenset(state.part.encode() for state in STATES if state.count == "ZCARD")
PARTS = frozenset(part.encode() for part in keys.QUEUE_PARTS)

REMOVED = b""
"""In the place of a state: the job was removed."""

_FLAGS = frozenset((b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR"))
_TELLING = frozenset((b"LPUSH", b"RPUSH", b"ZADD", b"DEL", b"UNLINK", b"HSET", b"HMSET"))
"""Commands that may say where a job is."""

_EVENT_ID = re.compile(rb"([0-9]+)-([0-9]+)")
_MOVES = (b"RPOPLPUSH", b"LMOVE")
_POPS = (b"ZPOPMIN", b"ZPOPMAX", b"LPOP", b"RPOP")


class Job(NamedTuple):
    """A job by its queue and id."""

    db: int
    base: bytes
    """How the queue's keys begin: `bull:mails`."""
    id: bytes

    @property
    def key(self) -> bytes:
        """Of its hash."""
        return self.base + b":" + self.id


class Told(NamedTuple):
    """Where the last command about a job left it."""

    state: bytes
    """Of `LISTS` or `SETS`, or `REMOVED`."""
    score: bytes = b""
    """Its place in a sorted set."""


_IN_LIST = {part: Told(part) for part in LISTS}
_GONE = Told(REMOVED)
"""What is told of many jobs, once each: there may be millions of them."""


def told(db: int, commands: Sequence[Words]) -> Iterator[tuple[Job, Told]]:
    """Give what the commands of one unit say, in their order."""
    for words in commands:
        name = words[0].upper()
        if name in _TELLING and len(words) > 1:
            yield from _told_by(name, db, words, commands)


def _told_by(
    name: bytes, db: int, words: Words, unit: Sequence[Words]
) -> Iterator[tuple[Job, Told]]:
    if name in (b"DEL", b"UNLINK"):
        for key in words[1:]:
            base, part = split(key)
            if part not in PARTS:
                yield Job(db, _shared(base), part), _GONE
        return
    base, part = split(words[1])
    if name in (b"LPUSH", b"RPUSH"):
        if part in LISTS:
            yield from ((Job(db, _shared(base), one), _IN_LIST[part]) for one in words[2:])
    elif name == b"ZADD":
        if part in SETS:
            base, part = _shared(base), _shared(part)
            yield from ((Job(db, base, one), Told(part, score)) for score, one in _members(words))
    elif part not in PARTS and _begins(words) and _locks(unit, words[1]):
        yield Job(db, _shared(base), part), _IN_LIST[b"active"]


@lru_cache(maxsize=1 << 12)
def _shared(text: bytes) -> bytes:
    """Give the same bytes as one object for all jobs of a queue."""
    return text


def _begins(words: Words) -> bool:
    """Tell whether a command says since when a job is processed."""
    return words[0].upper() in (b"HSET", b"HMSET") and b"processedOn" in words[2::2]


def _locks(unit: Sequence[Words], key: bytes) -> bool:
    return key + b":lock" in (words[1] for words in unit if len(words) > 1)


def _members(words: Words) -> Iterator[tuple[bytes, bytes]]:
    rest = list(words[2:])
    while rest and rest[0].upper() in _FLAGS:
        rest.pop(0)
    return zip(rest[::2], rest[1::2], strict=False)


def split(key: bytes) -> tuple[bytes, bytes]:
    """Part a key of a queue: `bull:mails:wait` is `bull:mails` and `wait`."""
    base, _colon, part = key.rpartition(b":")
    return base, part


def is_blind(words: Words) -> bool:
    """Tell whether a command takes what stands first or last in a queue's state, whatever it is."""
    if len(words) < 2 or words[0].upper() not in (*_MOVES, *_POPS):  # noqa: PLR2004  a name, a key
        return False
    return split(words[1])[1] in LISTS | SETS


def explicit(words: Words, unit: Sequence[Words]) -> tuple[Words, ...] | None:
    """Give a blind command as what it did, with the job that its unit names; None: unknown."""
    base, part = split(words[1])
    job_id = _taken(base, unit)
    if job_id is None:
        return None
    if part in SETS:
        return ((b"ZREM", words[1], job_id),)
    removed = (b"LREM", words[1], b"-1", job_id)
    if words[0].upper() not in _MOVES:
        return (removed,)
    right = words[0].upper() == b"LMOVE" and words[4].upper() == b"RIGHT"
    return removed, (b"RPUSH" if right else b"LPUSH", words[2], job_id)


def _taken(base: bytes, unit: Sequence[Words]) -> bytes | None:
    """Find the job that a unit fetches: it locks it, or says since when it is processed."""
    for words in unit:
        name, key = words[0].upper(), words[1] if len(words) > 1 else b""
        if not key.startswith(base + b":"):
            continue
        rest = key[len(base) + 1 :]
        if name == b"SET" and rest.endswith(b":lock"):
            return rest[: -len(b":lock")]
        if _begins(words):
            return rest
    return None


def event(commands: Sequence[Words]) -> tuple[int, int] | None:
    """Give the id of the first event that a unit writes: no two units share one, and they rise."""
    for words in commands:
        if words[0].upper() == b"XADD":
            for word in words[2:]:
                if found := _EVENT_ID.fullmatch(word):
                    return int(found[1]), int(found[2])
    return None
