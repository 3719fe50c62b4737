"""The drill `kill9`: load, kill, restart, over and over; then one survey after the last round."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sturdis.core.drill.events import Event, Killed, Served, Survey
from sturdis.core.drill.kill9 import Kill9

if TYPE_CHECKING:
    from concurrent.futures import Future

STEADY_AFTER = 2
"""So many times the last restart's duration a server serves before it is killed again: who starts
it again waits longer and longer otherwise; docs/adr/0029."""

POLL_SECONDS = 0.1
"""How often is looked whether jobs are still to be done."""


class Server(Protocol):
    """A server that can be killed, and that something else starts again."""

    def kill(self, number: int) -> Killed:
        """Look at its fsyncs and end its process at once."""

    def wait_until_served(self, number: int, seconds: float) -> Served:
        """Return when another process of it serves."""


class Load(Protocol):
    """Producers and workers."""

    def stop_adding(self) -> None:
        """Let the producers add no more."""

    def wait_until_added(self, seconds: float) -> None:
        """Return when each add has an answer, or is written down as in doubt."""

    def end(self) -> None:
        """Close the workers."""


class Queues(Protocol):
    """The queues that the load uses."""

    def pending(self) -> int:
        """Count the jobs that are still to be done."""

    def survey(self) -> Survey:
        """Read all jobs."""


class Log(Protocol):
    """The ledger's log."""

    def append(self, *happened: Event) -> "Future[None]":
        """Give a future that is done when the events are on disk."""


class Clock(Protocol):
    """Time that passes."""

    def now(self) -> int:
        """Give the time in milliseconds since 1970."""

    def wait(self, seconds: float) -> None:
        """Let so much time pass."""


@dataclass(frozen=True)
class Stage:
    """All that a drill plays with."""

    server: Server
    loads: Sequence[Load]
    queues: Queues
    log: Log
    clock: Clock


def run(drill: Kill9, on: Stage) -> Survey:
    """Kill the server as often as the drill says, and survey the jobs when all have settled.

    Raises:
        DrillError: The server did not serve again, a load failed, or the log cannot be written.
    """
    served, down = on.clock.now(), 0.0
    dice = random.Random(drill.seed)  # noqa: S311  nothing is kept secret by it
    for number in range(1, drill.rounds + 1):
        under_load = dice.uniform(drill.least_load, drill.most_load)
        on.clock.wait(max(under_load, STEADY_AFTER * down))
        killed = on.server.kill(number)
        on.log.append(killed).result()
        again = on.server.wait_until_served(number, drill.serves_again_within)
        on.log.append(again).result()
        served, down = again.at, (again.at - killed.at) / 1000
    on.clock.wait(drill.least_load)  # the server serves in the end, too
    return finish(drill, served, on)


def finish(drill: Kill9, served: int, on: Stage) -> Survey:
    """End the load of a drill whose last fault was over at `served` (ms since 1970).

    Raises:
        DrillError: A load failed, or did not get its answers.
    """
    for load in on.loads:
        load.stop_adding()
    for load in on.loads:
        load.wait_until_added(drill.drained_within)
    _settle(drill, served, on)
    for load in on.loads:
        load.end()
    return on.queues.survey()


def _settle(drill: Kill9, served: int, on: Stage) -> None:
    """Wait until every stalled job is on its way again and every job is done, if it ever is."""
    settled = max(served + drill.timing.settling, on.clock.now() + drill.longest_delay)
    while (now := on.clock.now()) < settled:
        on.clock.wait((settled - now) / 1000)
    until = settled + drill.drained_within * 1000
    while on.queues.pending() and on.clock.now() < until:
        on.clock.wait(POLL_SECONDS)
