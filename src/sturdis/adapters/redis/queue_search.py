"""The search for BullMQ's queues, in the background: a pass over all keys, small step by step."""

import contextlib
import threading
import time
from collections.abc import Sequence

from sturdis.adapters.redis.kept_link import KeptLink
from sturdis.core.bullmq import search
from sturdis.core.bullmq.search import Queue
from sturdis.core.errors import SturdisError
from sturdis.core.metrics.queues import Seen
from sturdis.core.replies import Reply

EVERY_SECONDS = 10.0
"""Shortest rest between two passes."""

REST = 4
"""Shortest rest after a long pass, in its own length: a million keys take 15 to 23 s, then a
search costs the server 0.6 to 1.3 s of every 75 to 115; docs/adr/0024."""

KEYS_A_STEP = 1_000
"""Keys that the server walks over in one step, about 1 ms."""

SHARE = 0.1
"""Most of the time that steps may take during a pass; the rest is left to others."""


class QueueSearch:
    """Looks for queues over `link`, from `start` until `close`, and never fails: it tries again."""

    def __init__(self, link: KeptLink, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._link = link
        self._every_seconds = every_seconds
        self._closing = threading.Event()
        self._tried = threading.Event()
        self._found: tuple[Seen, ...] = ()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless it has begun already."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def found(self, *, first_seconds: float) -> tuple[Seen, ...]:
        """Give the queues of the last whole pass; the first one is awaited for `first_seconds`."""
        self._tried.wait(first_seconds)
        return self._found

    def close(self) -> None:
        """Stop, and return when it has stopped."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            began = time.monotonic()
            with contextlib.suppress(SturdisError):  # the scrape meets it too, and tells of it
                self._found = self._pass()
            self._tried.set()
            self._closing.wait(max(self._every_seconds, REST * (time.monotonic() - began)))

    def _pass(self) -> tuple[Seen, ...]:
        """Walk over all keys once; what was found before stays when that does not end."""
        seen: dict[Queue, Seen] = {}
        cursor = b"0"
        while not self._closing.is_set():
            began = time.monotonic()
            (reply,) = self._link.call_all(
                [("SCAN", cursor, "MATCH", search.PATTERN, "COUNT", KEYS_A_STEP)]
            )
            if not isinstance(reply, tuple):
                return ()  # the user may not scan
            cursor, keys = reply
            new = {one: None for one in map(search.candidate, keys) if one and one not in seen}
            seen |= {one.look.queue: one for one in self._look(tuple(new))}
            if cursor == b"0":
                return tuple(seen[queue] for queue in sorted(seen, key=_order))
            self._closing.wait((time.monotonic() - began) * (1 / SHARE - 1))
        return self._found

    def _look(self, queues: Sequence[Queue]) -> list[Seen]:
        now_ms = time.time_ns() // 1_000_000
        asked = [search.questions(queue, now_ms) for queue in queues]
        replies = iter(self._link.call_all([one for questions in asked for one in questions]))
        looks = [
            found
            for queue, questions in zip(queues, asked, strict=True)
            if (found := search.look(queue, [next(replies) for _ in questions]))
        ]
        waiting = [one for one in looks if one.next_job is not None]
        jobs = [("HGET", one.queue.key(str(one.next_job)), "timestamp") for one in waiting]
        added = dict(zip((one.queue for one in waiting), self._link.call_all(jobs), strict=True))
        return [Seen(one, _milliseconds(added.get(one.queue))) for one in looks]


def _order(queue: Queue) -> tuple[str, str]:
    return queue.prefix, queue.name


def _milliseconds(reply: Reply) -> int | None:
    return int(reply) if isinstance(reply, bytes) and reply.isdigit() else None
