"""Reading BullMQ's queues, and how many keys there are, from the server that proves a repair."""

from collections.abc import Iterator, Sequence
from itertools import chain

from sturdis.adapters.redis import scanning
from sturdis.adapters.redis.link import Link
from sturdis.core import info as infos
from sturdis.core.bullmq import keys
from sturdis.core.bullmq.states import STATES
from sturdis.core.repair import jobs
from sturdis.core.repair.surveys import Queue, Survey
from sturdis.core.replies import Command, Reply

KEYS_A_STEP = 5_000
AT_ONCE = 1_000
"""Keys looked at in one step of a scan, and commands sent in one go."""

_STARTED = ("processedOn", "finishedOn", "ats")
_WAITS = ("delay", "priority")
_SIGNS = frozenset(part.encode() for part in keys.SIGNS) | jobs.LISTS | jobs.SETS


def take(link: Link) -> Survey:
    """Read all queues of all databases; jobs must not move meanwhile."""
    sizes = _sizes(link)
    queues: list[Queue] = []
    for db in sorted(sizes):
        link.call("SELECT", db)
        found = list(_keys(link))
        parted = [jobs.split(key) for key, _is_hash in found]
        bases = {base for base, part in parted if base and part in _SIGNS}
        ids: dict[bytes, set[bytes]] = {base: set() for base in bases}
        for (base, part), (_key, is_hash) in zip(parted, found, strict=True):
            if is_hash and base in bases and part not in jobs.PARTS:
                ids[base].add(part)
        queues.extend(one for base in sorted(bases) if (one := _queue(link, db, base, ids[base])))
    return Survey(tuple(queues), sizes)


def _sizes(link: Link) -> dict[int, int]:
    reply = link.call("INFO", "keyspace")
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else ""
    fields = {name: value for name, value in infos.parse(text).items() if name.startswith("db")}
    return {
        int(name.removeprefix("db")): int(value.split(",")[0].removeprefix("keys="))
        for name, value in fields.items()
    }


def _keys(link: Link) -> Iterator[tuple[bytes, bool]]:
    """Give each key of the database, and whether it is a hash."""
    names = dict.fromkeys(chain.from_iterable(scanning.steps(link, at_once=KEYS_A_STEP)), False)
    hashes = scanning.steps(link, "TYPE", "hash", at_once=KEYS_A_STEP)
    names |= dict.fromkeys(chain.from_iterable(hashes), True)
    yield from names.items()


def _queue(link: Link, db: int, base: bytes, hashes: set[bytes]) -> Queue | None:
    states = {}
    for state in STATES:
        read = "LRANGE" if state.count == "LLEN" else "ZRANGE"
        reply = link.call(read, base + b":" + state.part.encode(), 0, -1)
        states[state.part.encode()] = tuple(one for one in _array(reply) if isinstance(one, bytes))
    placed = set[bytes]().union(*states.values())
    rest = sorted(placed - hashes)  # ids with a colon in them, such as a scheduler's
    there = _all(link, [("EXISTS", base + b":" + one) for one in rest])
    hashes |= {one for one, reply in zip(rest, there, strict=True) if reply == 1}
    known = sorted(hashes)
    data = _all(link, [("HEXISTS", base + b":" + one, "data") for one in known])
    counter = link.call("GET", base + b":id")
    has_meta = link.call("EXISTS", base + b":meta", base + b":events", base + b":id")
    if not placed and has_meta == 0:
        return None
    return Queue(
        db, base, states, frozenset(hashes),
        frozenset(one for one, reply in zip(known, data, strict=True) if reply == 0),
        _started(link, base, sorted(hashes - placed)),
        int(counter) if isinstance(counter, bytes) and counter.isdigit() else 0,
    )  # fmt: skip


def _started(link: Link, base: bytes, orphans: Sequence[bytes]) -> frozenset[bytes]:
    fields = (*_STARTED, *_WAITS)
    hashes = _all(link, [("HMGET", base + b":" + one, *fields) for one in orphans])
    others = _all(link, [("EXISTS", base + b":" + one + b":dependencies") for one in orphans])
    return frozenset(
        one
        for one, values, waits in zip(orphans, hashes, others, strict=True)
        if waits or any(value not in (None, b"0", b"") for value in _array(values))
    )


def _all(link: Link, commands: Sequence[Command]) -> list[Reply]:
    replies: list[Reply] = []
    for first in range(0, len(commands), AT_ONCE):
        replies.extend(link.call_all(commands[first : first + AT_ONCE]))
    return replies


def _array(reply: Reply) -> Sequence[Reply]:
    return reply if isinstance(reply, tuple) else ()
