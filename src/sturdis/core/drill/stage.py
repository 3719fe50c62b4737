"""What a drill plays with: its target, the stage of a run, and the parts of that stage.

Implemented for this machine and for clusters; `flows.drill` runs a drill on any of them.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from sturdis.core.drill.events import Event, Survey
from sturdis.core.drill.observed import Figures
from sturdis.core.drill.outcome import Seen
from sturdis.core.drill.phases import Part
from sturdis.core.drill.run import Run
from sturdis.core.drill.scenario import Scenario

if TYPE_CHECKING:
    from concurrent.futures import Future


class Fault(Protocol):
    """One way to break a target, for all rounds of a drill.

    What must be undone is in the undo journal before it is done: after a crash of this program
    `sturdis drill undo` does it.
    """

    def prepare(self) -> None:
        """Do what must be done before load starts: a full disk's filling, a second server.

        Raises:
            DrillError: It cannot be done here.
        """

    def inject(self, number: int) -> Sequence[Event]:
        """Break the target, in round `number` from 1 on; give what happened, for the log.

        Raises:
            DrillError: It could not be injected.
        """

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Mend what `inject` broke and return when the target serves again.

        Called once after each `inject`, also after a Ctrl-C, and harmless when nothing is broken.

        Raises:
            DrillError: `drill.not_served`: the target did not serve within `seconds`.
        """

    def figures(self) -> Figures:
        """Give what was seen over all rounds, beside the ledger."""


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


class Stage(Protocol):
    """All that one run of a drill plays with; made by a target, and taken away by it."""

    @property
    def fault(self) -> Fault:
        """What breaks."""

    @property
    def queues(self) -> Queues:
        """The queues that the load uses, seen from outside."""

    @property
    def log(self) -> Log:
        """The drill's own part of the ledger's log."""

    @property
    def clock(self) -> Clock:
        """The clock that stamps the drill's events."""

    @property
    def rest(self) -> float:
        """So many times the last undo's duration the target is left alone before a fault."""

    def start_loads(self) -> Sequence[Load]:
        """Start the load, once the fault is prepared; none where the drill has none."""

    def seen(self) -> Seen:
        """Count what the loads' logs tell until now."""

    def undisturbed(self) -> AbstractContextManager[object]:
        """Let what is done in the context come to its end before a request to stop is heard."""


class Target(Protocol):
    """What drills break."""

    @property
    def name(self) -> str:
        """What people call it: `local`, an address, a cluster's context."""

    @property
    def server(self) -> str:
        """Product and version of the server that is broken; empty: not known yet."""

    def lacking(self, scenario: Scenario) -> Sequence[str]:
        """Say why the drill cannot be run here; empty: it can. Nothing is changed."""

    def stage(self, run: Run) -> AbstractContextManager[Stage]:
        """Make the stage of a run; at its end nothing of it is left.

        The undo journal is in the run's folder (`adapters.drill.undo_journal`).

        Raises:
            DrillError: `drill.not_marked`, or what it needs cannot be made.
        """


class Tell(Protocol):
    """Hears of each phase as it begins."""

    def __call__(self, part: Part, number: int) -> None:
        """Hear that `part` begins, in round `number`; 0 before and after all rounds."""
