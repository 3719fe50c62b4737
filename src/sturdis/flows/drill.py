"""A drill: steady state, then fault, observation and undo in each round; survey and verdict."""

from collections.abc import Sequence
from typing import Protocol

from sturdis.core.drill.events import Event
from sturdis.core.drill.observed import Figures


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
