"""Finding BullMQ's queues among the keys of a server, and what is looked at in each.

No key lists the queues. A pass over all keys asks for those that end like a queue's `meta` or `id`,
and each such name is then looked at: it is a queue when BullMQ's settings or its lists are there.
`meta` alone would miss queues that only workers or flows use, `id` alone those without a job yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sturdis.core.bullmq.states import STATES
from sturdis.core.replies import Command, Reply

PATTERN = "*:[im][de]*"
"""What `SCAN` is asked for: one pass for `:id` and `:meta`."""

OURS = "sturdis:verify:"
"""How the prefix of a queue begins that `verify` makes and removes: docs/adr/0012."""

DELAY_UNIT = 0x1000
"""The score in `delayed` is the due time in ms times this, plus a counter."""


@dataclass(frozen=True)
class Queue:
    """A queue by its name, below its prefix."""

    prefix: str
    name: str

    @property
    def base(self) -> str:
        """What its keys begin with: `bull:mails`."""
        return f"{self.prefix}:{self.name}"

    def key(self, part: str) -> str:
        """Name one of its keys."""
        return f"{self.base}:{part}"

    def counting(self) -> tuple[Command, ...]:
        """Give the commands that count its jobs, one for each of `STATES`."""
        return tuple((state.count, self.key(state.part)) for state in STATES)


@dataclass(frozen=True)
class Look:
    """What was seen of a queue beside the number of its jobs."""

    queue: Queue
    paused: bool
    events: int
    """Entries of its events stream."""
    overdue: int
    """Delayed jobs whose time has come."""
    next_job: str | None
    """Id of the job that is next in line, of those without a priority."""


def candidate(key: bytes) -> Queue | None:
    """Give the queue that `key` could be the `meta` or the `id` of."""
    try:
        prefix, name, part = key.decode().rsplit(":", 2)
    except ValueError:  # too few parts, or not UTF-8, which BullMQ writes
        return None
    ours = f"{prefix}:".startswith(OURS)
    return Queue(prefix, name) if name and part in ("meta", "id") and not ours else None


def questions(queue: Queue, now_ms: int) -> tuple[Command, ...]:
    """Give the commands whose replies `look` reads; `now_ms` is the Unix time in ms."""
    return (
        ("HMGET", queue.key("meta"), "version", "opts.maxLenEvents", "paused"),
        ("EXISTS", *(queue.key(state.part) for state in STATES)),
        ("XLEN", queue.key("events")),
        ("ZCOUNT", queue.key("delayed"), "-inf", now_ms * DELAY_UNIT - 1),
        ("LINDEX", queue.key("wait"), -1),
        ("LINDEX", queue.key("paused"), -1),
    )


def look(queue: Queue, replies: Sequence[Reply]) -> Look | None:
    """Read the replies to `questions`; None when there is no such queue."""
    settings, states, events, overdue, *lines = replies
    version, longest, paused = settings if isinstance(settings, tuple) else (None, None, None)
    of_bullmq = isinstance(version, bytes) and version.startswith(b"bullmq")
    if not (of_bullmq or longest is not None or _number(states) or _number(events)):
        return None
    ids = (line.decode(errors="replace") for line in lines if isinstance(line, bytes))
    return Look(queue, paused is not None, _number(events), _number(overdue), next(ids, None))


def _number(reply: Reply) -> int:
    return reply if isinstance(reply, int) else 0
