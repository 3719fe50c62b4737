"""Which part of the data takes how much memory, by samples of a fixed size."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sturdis.adapters.redis.asking import ask, ask_each, count, texts
from sturdis.adapters.redis.doctor_queues import Found
from sturdis.adapters.redis.keyspace import FIELDS
from sturdis.adapters.redis.link import Link
from sturdis.core.bullmq import keys, states
from sturdis.core.bullmq.search import Queue
from sturdis.core.bullmq.states import State
from sturdis.core.doctor.live import Held

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
    told = ask_each(link, (queue.counting() for queue in queues))
    for queue, replies in zip(queues, told, strict=True):
        for state, size in states.counts(replies):
            if size:
                yield _Part(queue, state, size)


def _jobs(link: Link, part: _Part) -> Held:
    ids, key = _sampled(link, part), part.queue.key
    sizes = ask_each(
        link,
        (
            [
                ("MEMORY", "USAGE", key(job), "SAMPLES", WHOLE),
                *(("MEMORY", "USAGE", key(job + of)) for of in BESIDE),
            ]
            for job in ids
        ),
    )
    (own,) = ask(link, [("MEMORY", "USAGE", key(part.state.part))])
    children = ask(link, [("HEXISTS", key(job), "parentKey") for job in ids])
    size, error = _estimated([sum(map(count, one)) for one in sizes], part.count)
    return Held(
        what=f"{part.state.name} of {part.queue.base}",
        queue=part.queue,
        kind=part.state.name,
        count=part.count,
        size=size + count(own),
        error=error,
        children=sum(map(count, children)),
    )


def _sampled(link: Link, part: _Part) -> Sequence[str]:
    key = part.queue.key(part.state.part)
    if part.count <= SAMPLE:
        read = "LRANGE" if part.state.count == "LLEN" else "ZRANGE"
        (reply,) = ask(link, [(read, key, 0, -1)])
        return texts(reply)
    if part.state.count == "ZCARD":
        (reply,) = ask(link, [("ZRANDMEMBER", key, SAMPLE)])
        return texts(reply)
    at = random.sample(range(part.count), SAMPLE)
    return texts(ask(link, [("LINDEX", key, index) for index in at]))


def _events(link: Link, queues: Sequence[Queue]) -> Iterator[Held]:
    streams = [queue.key("events") for queue in queues]
    told = ask_each(link, ([("XLEN", one), ("MEMORY", "USAGE", one)] for one in streams))
    for queue, replies in zip(queues, told, strict=True):
        entries, size = map(count, replies)
        if entries:
            yield Held(f"events of {queue.base}", queue, "events", entries, size)


def _outside(link: Link, found: Found) -> Iterator[Held]:
    """Estimate what keys take that belong to no queue that was found."""
    begins = tuple(one.key("") for one in found.queues)
    names = [one for one in found.sample if not one.startswith(begins)]
    if not names:
        return
    some = random.sample(names, min(SAMPLE, len(names)))
    sizes = ask(link, [("MEMORY", "USAGE", one, "SAMPLES", FIELDS) for one in some])
    keys_there = max(round(found.total * len(names) / len(found.sample)), len(names))
    size, error = _estimated(list(map(count, sizes)), keys_there)
    yield Held("keys of no queue", None, "keys", keys_there, size, error)


def _estimated(sizes: Sequence[int], whole: int) -> tuple[int, int]:
    """Give the bytes of all from those of some, and half the width of the 95 % interval."""
    some = len(sizes)
    if not some:
        return 0, 0
    mean = sum(sizes) / some
    if some >= whole or some == 1:
        return round(mean * whole), 0
    variance = sum((one - mean) ** 2 for one in sizes) / (some - 1)
    left = (whole - some) / max(1, whole - 1)  # what was measured is known
    return round(mean * whole), round(NORMAL * whole * math.sqrt(left * variance / some))
