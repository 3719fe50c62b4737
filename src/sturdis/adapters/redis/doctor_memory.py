"""Which part of the data takes how much memory, by samples of a fixed size."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sturdis.adapters.redis.asking import ask
from sturdis.adapters.redis.doctor_queues import Found
from sturdis.adapters.redis.keyspace import FIELDS
from sturdis.adapters.redis.link import Link
from sturdis.core.bullmq import keys, states
from sturdis.core.bullmq.search import Queue
from sturdis.core.bullmq.states import State
from sturdis.core.doctor.live import Held
from sturdis.core.replies import Command, Reply, text

SAMPLE = 200
"""Jobs of a state whose bytes are measured: among 112,000 keys as exact as measuring all, but for
one heavy tail of 6 %, at 22 ms of the server."""

WHOLE = 0
"""Fields of a job's hash that MEMORY USAGE measures: all. Of the 5 that it takes by itself `data`,
most of a job, is one in every job of a server, or in none."""

BESIDE = tuple(part for part in keys.JOB_PARTS if part not in {"", ":lock"})
"""Keys of a job beside its hash that last."""

MOST = 30
"""States that are measured, those with the most jobs first."""

NORMAL = 1.96
"""Standard errors in half a 95 % interval."""


@dataclass(frozen=True)
class _Part:
    queue: Queue
    state: State
    count: int


def held(link: Link, found: Found) -> tuple[Held, ...]:
    """Measure jobs by queue and state, events, and keys that belong to no queue.

    Raises:
        RefusedError: The user may not.
    """
    parts = sorted(_parts(link, found.queues), key=lambda one: -one.count)[:MOST]
    jobs = (_jobs(link, part) for part in parts)
    return (*jobs, *_events(link, found.queues), *_outside(link, found))


def _parts(link: Link, queues: Sequence[Queue]) -> Iterator[_Part]:
    replies = iter(ask(link, [one for queue in queues for one in queue.counting()]))
    for queue in queues:
        for state, count in states.counts([next(replies) for _ in states.STATES]):
            if count:
                yield _Part(queue, state, count)


def _jobs(link: Link, part: _Part) -> Held:
    ids = _sampled(link, part)
    asked: list[Command] = []
    for job in ids:
        asked.append(("MEMORY", "USAGE", part.queue.key(job), "SAMPLES", WHOLE))
        asked += [("MEMORY", "USAGE", part.queue.key(job + of)) for of in BESIDE]
    sizes = iter(ask(link, asked))
    bytes_of = [sum(_count(next(sizes)) for _ in (job, *BESIDE)) for job in ids]
    (own,) = ask(link, [("MEMORY", "USAGE", part.queue.key(part.state.part))])
    children = ask(link, [("HEXISTS", part.queue.key(job), "parentKey") for job in ids])
    size, error = _estimated(bytes_of, part.count)
    return Held(
        what=f"{part.state.name} of {part.queue.prefix}:{part.queue.name}",
        queue=part.queue,
        kind=part.state.name,
        count=part.count,
        size=size + _count(own),
        error=error,
        children=sum(map(_count, children)),
    )


def _sampled(link: Link, part: _Part) -> list[str]:
    key = part.queue.key(part.state.part)
    if part.count <= SAMPLE:
        read = "LRANGE" if part.state.count == "LLEN" else "ZRANGE"
        (reply,) = ask(link, [(read, key, 0, -1)])
        return _texts(reply)
    if part.state.count == "ZCARD":
        (reply,) = ask(link, [("ZRANDMEMBER", key, SAMPLE)])
        return _texts(reply)
    at = random.sample(range(part.count), SAMPLE)
    asked: list[Command] = [("LINDEX", key, index) for index in at]
    return [text(one) for one in ask(link, asked) if isinstance(one, bytes)]


def _events(link: Link, queues: Sequence[Queue]) -> Iterator[Held]:
    asked: list[Command] = []
    for queue in queues:
        asked += [("XLEN", queue.key("events")), ("MEMORY", "USAGE", queue.key("events"))]
    replies = iter(ask(link, asked))
    for queue in queues:
        count, size = _count(next(replies)), _count(next(replies))
        if count:
            yield Held(f"events of {queue.prefix}:{queue.name}", queue, "events", count, size)


def _outside(link: Link, found: Found) -> Iterator[Held]:
    """Estimate what keys take that belong to no queue that was found."""
    begins = tuple(f"{one.prefix}:{one.name}:" for one in found.queues)
    names = [one for one in found.sample if not one.startswith(begins)]
    if not names:
        return
    some = random.sample(names, min(SAMPLE, len(names)))
    sizes = ask(link, [("MEMORY", "USAGE", one, "SAMPLES", FIELDS) for one in some])
    count = round(found.total * len(names) / len(found.sample))
    size, error = _estimated(list(map(_count, sizes)), max(count, len(names)))
    yield Held("keys of no queue", None, "keys", max(count, len(names)), size, error)


def _estimated(sizes: Sequence[int], count: int) -> tuple[int, int]:
    """Give the bytes of all from those of some, and half the width of the 95 % interval."""
    some = len(sizes)
    if not some:
        return 0, 0
    mean = sum(sizes) / some
    if some >= count or some == 1:
        return round(mean * count), 0
    variance = sum((one - mean) ** 2 for one in sizes) / (some - 1)
    left = (count - some) / max(1, count - 1)  # what was measured is known
    return round(mean * count), round(NORMAL * count * math.sqrt(left * variance / some))


def _texts(reply: Reply) -> list[str]:
    items = reply if isinstance(reply, tuple) else ()
    return [text(one) for one in items if isinstance(one, bytes)]


def _count(reply: Reply) -> int:
    return reply if isinstance(reply, int) else 0
