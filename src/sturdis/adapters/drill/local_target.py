"""The target `local`: a server of the drill's own on this machine, made for each run."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sturdis.adapters.drill import local_abilities, run_store
from sturdis.adapters.drill import stage as stages
from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.drill.stage import LocalStage
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.faults import local as faults
from sturdis.adapters.local import binaries
from sturdis.core import servers
from sturdis.core.drill import abilities, rig_plan
from sturdis.core.drill.run import Run
from sturdis.core.drill.scenario import Scenario


class LocalTarget:
    """A server that is nobody's: nothing of the user's is at stake.

    Args:
        server: As `--server` is given; None chooses as `up` does.
        guarded: Whether the guard mends the data before each start.
        settings: Laid over those of the deployment.

    Raises:
        ServerError: There is no such server.
    """

    name = "local"

    def __init__(
        self,
        server: str | None = None,
        *,
        guarded: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._server = servers.choose(binaries.offers(server, None)).server
        self._guarded = guarded
        self._settings = settings or {}
        self._abilities = local_abilities.find(self._server.path)

    @property
    def server(self) -> str:
        """Product and version of the server that is broken."""
        return str(self._server)

    def lacking(self, scenario: Scenario) -> Sequence[str]:
        """Say why the drill cannot be run here; empty: it can. Nothing is changed."""
        return abilities.lacking(scenario.needs, self._abilities)

    @contextmanager
    def stage(self, run: Run) -> Iterator[LocalStage]:
        """Make the stage of a run, a running server among it; at its end nothing of it runs.

        Raises:
            DrillError: What it needs cannot be made.
            ServerError: The server does not run.
        """
        folder = Path(run.folder)
        plan = rig_plan.of(
            run.scenario.fault,
            server=self._server.path,
            guarded=self._guarded,
            settings=self._settings,
        )
        with Journal(folder) as journal, stages.parts(run) as (stack, log):
            rig = stack.enter_context(Rig(plan, folder / run_store.RIG, journal))
            rig.start()
            # not the dice of the times under load: when and where it strikes are drawn apart
            dice = random.Random(f"{run.seed}:fault")  # noqa: S311  nothing is kept secret by it
            fault = faults.fault(run.scenario.fault, rig, journal, dice, log)
            stack.callback(fault.close)
            yield LocalStage(run, fault, rig.address, log, stack)
