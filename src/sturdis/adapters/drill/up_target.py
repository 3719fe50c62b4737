"""The target `up`: a running `sturdis up` of this user that was started with --drills."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sturdis.adapters.drill import ownership
from sturdis.adapters.drill import stage as stages
from sturdis.adapters.drill.server import LocalServer
from sturdis.adapters.drill.stage import LocalStage
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.core.address import Address
from sturdis.core.drill import abilities
from sturdis.core.drill.abilities import Abilities, Ability
from sturdis.core.drill.events import Event
from sturdis.core.drill.faults.process import Kill, Moment
from sturdis.core.drill.observed import Figures
from sturdis.core.drill.run import Run
from sturdis.core.drill.scenario import Scenario

REST = 2.0
"""So many times the last restart's duration a server serves before it is killed again: `up` starts
it again at once only when it has served for so long; docs/adr/0029."""

HAS: Abilities = {Ability.KILL: "", Ability.RESTART: ""}


class UpTarget:
    """The server at `address`, which an `up` starts again; what it holds is at stake."""

    def __init__(self, address: Address, server: str) -> None:
        self.server = server
        self._address = address

    @property
    def name(self) -> str:
        """Its address."""
        return str(self._address)

    def lacking(self, scenario: Scenario) -> Sequence[str]:
        """Say why the drill cannot be run here; empty: it can."""
        lacks = list(abilities.lacking(scenario.needs, HAS))
        if not isinstance(scenario.fault, Kill) or scenario.fault.moment is not Moment.ANY:
            lacks.append("an `up` is killed at any moment, and nothing else: --target local does")
        return tuple(lacks)

    @contextmanager
    def stage(self, run: Run) -> Iterator[LocalStage]:
        """Make the stage of a run; the server is left alone at its end.

        Raises:
            DrillError: `drill.not_served`: it does not serve now. `drill.not_ours`: what answers is
                not the server of an `up` of this user that allows drills.
        """
        with Journal(Path(run.folder)), stages.parts(run) as (stack, log):
            server = stack.enter_context(
                LocalServer(self._address, lambda: ownership.of_marked_up(self._address))
            )
            stage = LocalStage(run, KillOfUp(server), self._address, log, stack)
            stage.rest = REST
            yield stage


class KillOfUp:
    """SIGKILL; the `up` undoes it."""

    def __init__(self, server: LocalServer) -> None:
        self._server = server
        self._killed = 0
        self._served = 0

    def prepare(self) -> None:
        """There is nothing to prepare."""

    def inject(self, number: int) -> Sequence[Event]:
        """Look at its fsyncs, and kill it."""
        killed = self._server.kill(number)
        self._killed = number
        return (killed,)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Wait until it serves again."""
        if self._served >= self._killed:
            return ()
        served = self._server.wait_until_served(number, seconds)
        self._served = number
        return (served,)

    def figures(self) -> Figures:
        """Give how often it was killed."""
        return {"kills": float(self._killed)}
