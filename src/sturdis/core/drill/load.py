"""The load of a drill: what producers add and workers do, the same in every language.

A plan is read by a process of its own, from its standard input. Which job is the n-th follows from
the seed alone, so that a load can be run again; only the UUIDs are new each time.
"""

import hashlib
from enum import Enum

import msgspec

from sturdis.core.address import Address


class Kind(Enum):
    """What is special about a job."""

    PLAIN = "plain"
    DELAYED = "delayed"
    PRIORITISED = "prioritised"
    RETRIED = "retried"
    """It fails its first attempts on purpose."""
    FLOW = "flow"
    """A parent that waits for its children."""


DEFINITE = (
    "LOADING", "MASTERDOWN", "MISCONF", "NOAUTH", "NOPERM", "NOREPLICAS", "OOM", "READONLY",
)  # fmt: skip
"""First words of error replies that say that nothing was written. BullMQ's scripts to add a job
are refused at their first write or before; read in redis' `processCommand` and `scriptCall`."""

RETRY_AFTER = 50
"""Milliseconds from a failure on purpose to the next attempt: the job is delayed meanwhile."""

PRIORITIES = 10
"""Priorities used, from 1; BullMQ knows up to 2^21."""

CHILDREN = 2
"""Children of a flow's parent."""

END = b"end\n"
"""A line that ends a load as the end of its input does: the way to a pod cannot end an input."""


class LoadPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one load process does. Times are in milliseconds."""

    writer: str
    """Names the process: in the log's file name, and as the worker in its events."""
    folder: str
    """Where the log is written, one file a process."""
    address: Address
    queues: tuple[str, ...]
    seed: int = 0
    prefix: str = "bull"
    rate: float = 50.0
    """Adds a second; 0: it adds nothing. A flow counts as one."""
    adds_at_once: int = 50
    """Most adds that wait for their answer at one time; beyond it the producer waits too."""
    mix: tuple[Kind, ...] = tuple(Kind)
    """What is added, in even shares; a kind named twice comes twice as often."""
    longest_delay: int = 1000
    """Delayed jobs wait from 1 ms up to this."""
    most_failures: int = 2
    """Retried jobs fail from once up to so often."""
    workers: int = 1
    """Workers for each queue; 0: it processes nothing."""
    jobs_at_once: int = 10
    """BullMQ's `concurrency`: jobs that one worker has at one time."""
    work: int = 5
    """How long the work of a job takes."""
    filling: int = 0
    """Bytes that each job carries beside its own few: they fill a server's memory."""
    lock_duration: int = 30_000
    """BullMQ's default."""
    stalled_interval: int = 30_000
    """BullMQ's default."""
    most_stalls: int = 1
    """How often a job's worker may lose it before BullMQ gives it up (`maxStalledCount`); BullMQ's
    default."""
    settle: int = 10_000
    """How long an add may go without an answer, once no more are made, before it is in doubt."""
    definite: tuple[str, ...] = DEFINITE
    """First words of the refusals that say that nothing was written."""


class Order(msgspec.Struct, frozen=True):
    """One job to add, or one flow."""

    kind: Kind
    queue: str
    delay: int = 0
    priority: int = 0
    """0: none."""
    failures: int = 0


def order(plan: LoadPlan, number: int) -> Order:
    """Give the `number`-th order of a plan: always the same for the same seed and writer."""
    dice = hashlib.sha256(f"{plan.seed}:{plan.writer}:{number}".encode()).digest()
    kind = plan.mix[int.from_bytes(dice[:4]) % len(plan.mix)]
    queue = plan.queues[int.from_bytes(dice[4:8]) % len(plan.queues)]
    roll = int.from_bytes(dice[8:12])
    match kind:
        case Kind.DELAYED:
            return Order(kind, queue, delay=1 + roll % plan.longest_delay)
        case Kind.PRIORITISED:
            return Order(kind, queue, priority=1 + roll % PRIORITIES)
        case Kind.RETRIED:
            return Order(kind, queue, failures=1 + roll % plan.most_failures)
    return Order(kind, queue)


def definite(reason: str, words: tuple[str, ...] = DEFINITE) -> bool:
    """Tell whether an error reply says that nothing was written."""
    return reason.partition(" ")[0] in words
