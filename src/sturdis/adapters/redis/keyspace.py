"""Which BullMQ queues a database holds, what they keep, and what is there beside them.

Nothing is walked to its end: a look costs about the same on a database of any size.
"""

from collections.abc import Iterable, Sequence

from sturdis.adapters.redis.asking import RefusedError, ask, ask_each, count, seen
from sturdis.adapters.redis.link import Link
from sturdis.core.bullmq import keys
from sturdis.core.facts import KeySample, QueueKeys, Unseen
from sturdis.core.replies import Command, Reply, text

SAMPLE = 500
"""Keys looked at. SCAN gives them in the order of a keyed hash, which is as good as at random."""

STREAMS_WITHIN = 10_000
"""Keys among which events streams are looked for, in one round trip."""

MEASURED = 100
"""Keys whose bytes are measured, to estimate the bytes of all their like."""

FIELDS = 50
"""Fields that MEMORY USAGE measures of a key that may be of any size. Of the 5 that it takes by
itself a large one is in every key of a server, or in none."""

QUEUES = 50
"""Queues looked into."""

EVENTS_WANTED = 10_000
"""Entries that BullMQ trims an events stream to, where the queue does not say otherwise."""

SHOWN = 3
"""Names given as examples."""

SHOWN_LENGTH = 60
"""Longest name that is shown whole, in characters."""

NEVER = -1
"""What PTTL says of a key that never expires."""


def look(connection: Link) -> tuple[KeySample | Unseen, Sequence[QueueKeys] | Unseen]:
    """Look at a sample of the keys, and into the queues found by them."""
    try:
        size, scanned, streams = ask(
            connection,
            [
                ("DBSIZE",),
                ("SCAN", 0, "COUNT", SAMPLE),
                ("SCAN", 0, "MATCH", "*:events", "COUNT", STREAMS_WITHIN, "TYPE", "stream"),
            ],
        )
        sampled = _names(scanned)[: 2 * SAMPLE]
        queues = _queues_among(connection, [*sampled, *_names(streams)])
    except RefusedError as error:
        return Unseen(str(error)), Unseen(str(error))
    outside = [key for key in sampled if not queues.intersection(keys.bases(key))]
    total = count(size)
    return (
        seen(lambda: _sample(connection, outside, len(sampled), total)),
        seen(lambda: _look_into(connection, sorted(queues)[:QUEUES])),
    )


def _sample(connection: Link, outside: Sequence[str], looked_at: int, total: int) -> KeySample:
    times = ask(connection, [("PTTL", _bytes(key)) for key in outside])
    stray = [key for key, time in zip(outside, times, strict=True) if time == NEVER]
    usage = [("MEMORY", "USAGE", _bytes(key), "SAMPLES", FIELDS) for key in stray[:MEASURED]]
    sizes = ask(connection, usage)
    mean = sum(map(count, sizes)) / len(sizes) if sizes else 0
    return KeySample(
        looked_at,
        total,
        len(stray),
        round(mean * len(stray) * total / looked_at) if looked_at else 0,
        tuple(map(_shown, stray[:SHOWN])),
    )


def _queues_among(connection: Link, names: Iterable[str]) -> set[str]:
    candidates = list(dict.fromkeys(base for name in names for base in keys.bases(name)))
    counts = ask(connection, [("EXISTS", *map(_bytes, keys.signs(base))) for base in candidates])
    pairs = zip(candidates, counts, strict=True)
    return {base for base, found in pairs if count(found) >= keys.ENOUGH_SIGNS}


def _look_into(connection: Link, queues: Sequence[str]) -> tuple[QueueKeys, ...]:
    looks = ask_each(connection, map(_questions, queues))
    return tuple(_queue(queue, told) for queue, told in zip(queues, looks, strict=True))


def _questions(queue: str) -> list[Command]:
    def key(part: str) -> bytes:
        return _bytes(f"{queue}:{part}")

    return [
        ("ZCARD", key("completed")),
        ("ZCARD", key("failed")),
        ("XLEN", key("events")),
        ("MEMORY", "USAGE", key("events")),
        ("HGET", key("meta"), "opts.maxLenEvents"),
        ("LLEN", key("paused")),
        ("EXISTS", key("meta-paused")),
        ("ZCARD", key("priority")),
    ]


def _queue(name: str, replies: Sequence[Reply]) -> QueueKeys:
    completed, failed, events, size, wanted, paused, paused_before, priority = replies
    older = (
        (count(paused), f"{count(paused)} jobs in the list of a paused queue (before BullMQ 6)"),
        (count(paused_before), "paused by Bull 3"),
        (count(priority), f"{count(priority)} jobs in the priorities of BullMQ 3"),
    )
    trimmed_to = text(wanted)
    return QueueKeys(
        _shown(name),
        count(completed),
        count(failed),
        count(events),
        count(size),
        int(trimmed_to) if trimmed_to.isdecimal() else EVENTS_WANTED,
        tuple(words for some, words in older if some),
    )


def _names(scanned: Reply) -> list[str]:
    match scanned:
        case (_cursor, [*names]):
            found = (name for name in names if isinstance(name, bytes))
            return [name.decode(errors="surrogateescape") for name in found]
    return []


def _bytes(name: str) -> bytes:
    return name.encode(errors="surrogateescape")


def _shown(name: str) -> str:
    """Give a name that a terminal can be shown, whatever bytes it has."""
    plain = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)
    return plain if len(plain) <= SHOWN_LENGTH else f"{plain[:SHOWN_LENGTH]}…"
