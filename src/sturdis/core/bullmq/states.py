"""The states of BullMQ's jobs, and counting the jobs in each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sturdis.core.replies import Reply


@dataclass(frozen=True)
class State:
    """A state: its name in `getJobCounts`, the part of the key that holds its jobs, the count."""

    name: str
    part: str
    count: Literal["LLEN", "ZCARD"]


STATES = (
    State("active", "active", "LLEN"),
    State("completed", "completed", "ZCARD"),
    State("delayed", "delayed", "ZCARD"),
    State("failed", "failed", "ZCARD"),
    State("paused", "paused", "LLEN"),
    State("prioritized", "prioritized", "ZCARD"),
    State("waiting", "wait", "LLEN"),
    State("waiting-children", "waiting-children", "ZCARD"),
)
"""`paused` is where BullMQ 5 and older move the waiting jobs of a paused queue; 6 leaves them in
`wait`, and does not count what an older one left in `paused`."""


def counts(replies: Sequence[Reply]) -> Iterator[tuple[State, int]]:
    """Read the replies to the counting of `STATES`; a key of another type is left out."""
    for state, reply in zip(STATES, replies, strict=True):
        if isinstance(reply, int):
            yield state, reply
