"""What BullMQ is told to do before a folder is damaged: the same for a seed, but for the times.

An order is a row that JSON can carry, so that the Python and the Node BullMQ obey the same ones.
Jobs are known by the UUID in their data, never by BullMQ's id.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Literal
from uuid import UUID

Order = tuple[str | int, ...]
"""`add QUEUE UUID TEXT KIND`, `flow QUEUE UUID TEXT UUID UUID`, `take QUEUE`, `complete QUEUE`,
`fail QUEUE`, `pause QUEUE`, `resume QUEUE`, `cache KEY VALUE`."""

Kind = Literal["plain", "delayed", "prioritised", "named", "removed"]
KINDS: Sequence[Kind] = ("plain", "plain", "plain", "delayed", "prioritised", "named", "removed")
"""`named` jobs have an id of their own; `removed` ones leave nothing when they are completed."""

QUEUES = ("mails", "thumbs", "reports")

ADDS = 45
"""Adds of one phase: with what is done to them about 60 KB of commands."""

HOUR = 3_600_000
"""Milliseconds; a delayed job stays delayed while the tests run."""


def phase(seed: int, number: int) -> Iterator[Order]:
    """Give the orders of one phase, after which the server rewrites its file, or is done."""
    dice = random.Random(f"{seed}:{number}")  # noqa: S311  nothing secret
    taken: list[str] = []
    for _ in range(ADDS):
        queue = dice.choice(QUEUES)
        yield _add(dice, queue)
        if dice.random() < 0.2:
            yield ("cache", f"page:{dice.randrange(9)}", "c" * dice.randrange(200))
        if dice.random() < 0.6:
            yield ("take", queue)
            taken.append(queue)
        while taken and dice.random() < 0.6:
            done = taken.pop(dice.randrange(len(taken)))
            yield (dice.choice(("complete", "complete", "complete", "fail")), done)
        if dice.random() < 0.05:
            yield ("pause", queue)
            yield ("resume", queue)
    for queue in QUEUES:
        yield ("take", queue)


def _add(dice: random.Random, queue: str) -> Order:
    uuid, text = _uuid(dice), _text(dice)
    if dice.random() < 0.1:
        return ("flow", queue, uuid, text, _uuid(dice), _uuid(dice))
    return ("add", queue, uuid, text, dice.choice(KINDS))


def _uuid(dice: random.Random) -> str:
    return str(UUID(int=dice.getrandbits(128), version=4))


def _text(dice: random.Random) -> str:
    """Give a payload; some are long, and some look like the file's own syntax."""
    if dice.random() < 0.05:
        return "*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nEXEC\r\n"
    return dice.randbytes(dice.choice((4, 20, 60, 700))).hex()
