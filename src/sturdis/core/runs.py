"""Which runs of `verify` are over: the next one removes what they left. docs/adr/0025."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

PREFIX = "sturdis:verify"
"""Everything that a run writes is below this prefix and a UUID; nothing else is touched."""

REGISTER = f"{PREFIX}:runs"
"""A hash: the UUID of each run that has begun to write, and what tells whether it still goes on."""

RUN_SECONDS = 300
"""Longest run, in seconds: its connections and waits end sooner, `link.LINK_SECONDS` the last."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Run:
    """A run that has begun to write."""

    uuid: str
    client: int
    """The server's id of its connection."""
    began: int
    """By the server's clock, in seconds since 1970."""

    @property
    def mark(self) -> str:
        """What all its keys begin with."""
        return f"{PREFIX}:{self.uuid}"

    @property
    def entry(self) -> str:
        """What the register holds of it."""
        return f"{self.client} {self.began}"


def read(entries: Iterable[tuple[str, str]]) -> tuple[Run, ...]:
    """Read the register; what no run has written there is left out, and left alone."""
    runs = []
    for uuid, entry in entries:
        numbers = re.fullmatch(r"(\d{1,19}) (\d{1,19})", entry, re.ASCII)
        if numbers and _UUID.fullmatch(uuid):
            runs.append(Run(uuid, int(numbers[1]), int(numbers[2])))
    return tuple(runs)


def over(runs: Iterable[Run], *, now: int, connected: Collection[int] | None) -> tuple[Run, ...]:
    """Give the runs that are over: their connection is gone, or they began too long ago.

    Args:
        runs: All that are known.
        now: The time by the clock that they were stamped with.
        connected: The ids of connections that stand; None: not known.
    """
    return tuple(
        run
        for run in runs
        if abs(now - run.began) > RUN_SECONDS  # the clock, or another server's, may be behind
        or (connected is not None and run.client not in connected)
    )
