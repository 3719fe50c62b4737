"""BullMQ's queues as `doctor` looks at them: found within a budget, and looked into by samples."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sturdis.adapters.redis.asking import ask, ask_each, count, texts
from sturdis.adapters.redis.link import Link
from sturdis.core.bullmq import keys, search, states
from sturdis.core.bullmq.ids import Numbers
from sturdis.core.bullmq.search import Queue
from sturdis.core.doctor.live import OVERDUE_SECONDS, QueueLook
from sturdis.core.replies import Command, Reply, text

STEP = 1_000
"""Keys that the server walks over in one step of a search: about 1 ms."""

STEPS = 500
"""Steps of a search: half a million keys, about half a second of the server."""

SEARCH_SECONDS = 2.0
"""Longest search."""

QUEUES = 100
"""Queues that are looked into, in the order of their names."""

SAMPLED = 2_000
"""Keys that are looked at one by one: for orphans, ids, and what belongs to no queue."""

ACTIVE = 200
"""Active jobs of a queue that are looked at."""

ENDS = 200
"""Jobs at each end of the waiting list that are looked at."""

TOP = 10
"""Newest finished jobs of a queue whose ids are looked at."""

COMPARISONS = 2_000_000
"""Ids that searches in the lists of a queue may walk over: about 20 ms of the server."""

LISTS = ("wait", "paused", "active")
"""States that are lists, in the order in which a job goes through them."""

SORTED = tuple(one.part for one in states.STATES if one.count == "ZCARD")

REPEATED = re.compile(r"[^:]*:[^:]*:\d*:[^:]*:(?:.* .*|\d+)", re.ASCII)
"""How BullMQ before 6 names a repeatable job: name, id, end, time zone, pattern or interval."""


@dataclass(frozen=True)
class Found:
    """The queues of a database, and a sample of its keys."""

    queues: tuple[Queue, ...]
    sample: tuple[str, ...]
    """Keys as SCAN gives them: in the order of a keyed hash, which is as good as at random."""
    jobs: Mapping[Queue, Sequence[str]]
    """Of the sample, the ids of those keys that may be the hash of a job."""
    total: int
    """Keys in the database."""
    partly: str = ""
    """What was left out, in words."""


@dataclass(frozen=True)
class Orphans:
    """Job hashes of a queue that are in no state."""

    queue: Queue
    ids: frozenset[str]
    judged: int
    """How many were looked at."""


def find(link: Link) -> Found:
    """Search for queues, and take a sample of the keys."""
    total, scanned = ask(link, [("DBSIZE",), ("SCAN", 0, "COUNT", SAMPLED)])
    candidates, walked, is_whole = _search(link)
    queues = _confirmed(link, sorted(candidates, key=lambda one: (one.prefix, one.name)))
    left_out = "" if is_whole else f"queues were searched among {walked} of {count(total)} keys"
    if len(queues) > QUEUES:
        left_out = f"of {len(queues)} queues the first {QUEUES} were looked into"
    sample = texts(scanned[1] if isinstance(scanned, tuple) else ())[: 2 * SAMPLED]
    kept = tuple(queues[:QUEUES])
    return Found(kept, sample, _jobs_among(sample, kept), count(total), left_out)


def _search(link: Link) -> tuple[set[Queue], int, bool]:
    """Walk over keys within the budget; tell how many, and whether that was all."""
    found: set[Queue] = set()
    cursor: Reply = b"0"
    began = time.monotonic()
    for step in range(1, STEPS + 1):
        words = ("SCAN", text(cursor), "MATCH", search.PATTERN, "COUNT", STEP)
        (reply,) = ask(link, [words])
        cursor, names = reply if isinstance(reply, tuple) else (b"0", ())
        given = names if isinstance(names, tuple) else ()
        found |= {
            one for name in given if isinstance(name, bytes) if (one := search.candidate(name))
        }
        if cursor == b"0":
            return found, step * STEP, True
        if time.monotonic() - began > SEARCH_SECONDS:
            break
    return found, step * STEP, False


def _confirmed(link: Link, candidates: Sequence[Queue]) -> list[Queue]:
    now_ms = time.time_ns() // 1_000_000
    told = ask_each(link, (search.questions(queue, now_ms) for queue in candidates))
    looks = map(search.look, candidates, told)
    return [one.queue for one in looks if one is not None]


def _jobs_among(sample: Iterable[str], queues: Sequence[Queue]) -> Mapping[Queue, Sequence[str]]:
    jobs: dict[str, list[str]] = {queue.base: [] for queue in queues}
    for name in sample:
        base, _, part = name.rpartition(":")
        if part and base in jobs and part not in keys.QUEUE_PARTS:
            jobs[base].append(part)
    return {queue: jobs[queue.base] for queue in queues}


def look(link: Link, found: Found) -> tuple[QueueLook, ...]:
    """Look into the queues once.

    Raises:
        RefusedError: The user may not; so do the other functions here.
    """
    now_ms = time.time_ns() // 1_000_000
    told = ask_each(link, (_questions(queue, now_ms) for queue in found.queues))
    pairs = zip(found.queues, told, strict=True)
    return _with_details(link, [_look(queue, one, found.jobs[queue]) for queue, one in pairs])


@dataclass(frozen=True)
class _Rough:
    look: QueueLook
    waiting: tuple[str, ...]
    active: tuple[str, ...]
    """Ids at the ends of the list that waits, and of those that are active, as they stand there."""


def _questions(queue: Queue, now_ms: int) -> tuple[Command, ...]:
    key = queue.key
    late = (now_ms - OVERDUE_SECONDS * 1000) * search.DELAY_UNIT
    return (
        *queue.counting(),
        ("HEXISTS", key("meta"), "paused"),
        ("EXISTS", key("limiter")),
        ("ZCOUNT", key("delayed"), "-inf", late),
        ("LINDEX", key("wait"), -1),
        ("ZRANGE", key("prioritized"), 0, 0),
        ("LRANGE", key("active"), 0, ACTIVE - 1),
        ("LRANGE", key("wait"), 0, ENDS - 1),
        ("LRANGE", key("wait"), -ENDS, -1),
        ("ZREVRANGE", key("completed"), 0, TOP - 1),
        ("ZREVRANGE", key("failed"), 0, TOP - 1),
        ("ZRANGE", key("repeat"), 0, ENDS - 1),
        ("GET", key("id")),  # last: no id is younger than the counter
    )


def _look(queue: Queue, told: Sequence[Reply], sampled: Sequence[str]) -> _Rough:
    counted, rest = told[: len(states.STATES)], told[len(states.STATES) :]
    paused, limiter, due, last, first, active, head, tail, completed, failed, repeat, counter = rest
    counts = {state.name: size for state, size in states.counts(counted)}
    ends = (*texts(head), *texts(tail))
    ids = (*sampled, *ends, *texts(active), *texts(completed), *texts(failed))
    number = text(counter)
    plain = QueueLook(
        queue,
        counts,
        is_paused=paused == 1,
        is_limited=limiter == 1,
        due=count(due),
        next_jobs=(text(last), *texts(first)),
        counter=int(number) if number.isdecimal() else 0,
        highest=Numbers.of(one.encode() for one in ids).given,
        active=frozenset(texts(active)),
        twice=frozenset().union(*(_repeated(reply) for reply in (head, tail, active))),
        legacy=tuple(one for one in texts(repeat) if REPEATED.fullmatch(one)),
    )
    return _Rough(plain, tuple(dict.fromkeys(ends)), texts(active))


def _repeated(reply: Reply) -> frozenset[str]:
    """Give what a list has more than once, in one reply: between two of them jobs move."""
    return frozenset(one for one, times in Counter(texts(reply)).items() if times > 1)


def _with_details(link: Link, looks: Sequence[_Rough]) -> tuple[QueueLook, ...]:
    """Ask whether the jobs looked at have a lock, and a hash."""
    asked: list[Command] = []
    for one in looks:
        key = one.look.queue.key
        asked += [("EXISTS", key(f"{job}:lock")) for job in one.active]
        asked += [("EXISTS", key(job)) for job in (*one.active, *one.waiting)]
    replies = iter(ask(link, asked))
    told = []
    for one in looks:
        unlocked = frozenset(job for job in one.active if next(replies) == 0)
        missing = frozenset(job for job in (*one.active, *one.waiting) if next(replies) == 0)
        unlocked -= missing
        told.append(replace(one.look, unlocked=unlocked, missing=missing))
    return tuple(told)


def orphans(link: Link, found: Found) -> list[Orphans]:
    """Look for job hashes in no state, among the sampled keys."""
    return [one for one in in_no_state(link, tuple(found.jobs.items())) if one.judged]


def in_no_state(link: Link, asked: Sequence[tuple[Queue, Sequence[str]]]) -> list[Orphans]:
    """Give those ids of each queue that have a hash and are in no state.

    Where lists are long, fewer jobs are judged: a search in one walks over all of it.
    """
    sizes = iter(ask(link, [("LLEN", queue.key(part)) for queue, _ in asked for part in LISTS]))
    told = []
    for queue, jobs in asked:
        length = sum(count(next(sizes)) for _ in LISTS)
        told.append(_stateless(link, queue, jobs, COMPARISONS // max(1, length)))
    return told


def _stateless(link: Link, queue: Queue, jobs: Sequence[str], most: int) -> Orphans:
    left = _outside(link, queue, "ZSCORE", SORTED, jobs)
    judged = len(jobs) - max(0, len(left) - most)
    left = _outside(link, queue, "LPOS", LISTS, left[:most])
    left = _outside(link, queue, "ZSCORE", SORTED, left)  # it may have gone there meanwhile
    there = ask(link, [("HEXISTS", queue.key(job), "timestamp") for job in left])
    ids = frozenset(job for job, is_there in zip(left, there, strict=True) if is_there == 1)
    return Orphans(queue, ids, judged)


def _outside(
    link: Link, queue: Queue, search_by: str, parts: Sequence[str], jobs: Sequence[str]
) -> list[str]:
    """Give those of the jobs that are in none of these states."""
    # all of one state before the next: a job that moves on is met there
    pairs = [(part, job) for part in parts for job in jobs]
    places = ask(link, [(search_by, queue.key(part), job) for part, job in pairs])
    placed = {job for (_part, job), at in zip(pairs, places, strict=True) if at is not None}
    return [job for job in jobs if job not in placed]
