"""The stage of a drill whose load runs on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from sturdis.adapters.drill import load_process
from sturdis.adapters.drill.ledger_log import LedgerLog
from sturdis.adapters.drill.load_process import LoadProcess
from sturdis.adapters.drill.log_follower import LogFollower
from sturdis.adapters.drill.server import CLOCK, DrillQueues
from sturdis.adapters.local import signals
from sturdis.core.address import Address
from sturdis.core.drill.outcome import Seen
from sturdis.core.drill.run import QUEUES, Run
from sturdis.core.drill.stage import Fault

LOG = "drill"
"""Name of the drill itself among the writers of the ledger's log."""


class LocalStage:
    """A fault, and processes of this machine that make load.

    Args:
        run: What is run.
        fault: What breaks; where it has an `entry`, clients come by that address.
        address: The server's own.
        log: The drill's own part of the ledger's log.
        stack: Ends the load, when it is closed.
    """

    rest = 0.0

    def __init__(
        self, run: Run, fault: Fault, address: Address, log: LedgerLog, stack: ExitStack
    ) -> None:
        self.fault = fault
        self.log = log
        self.clock = CLOCK
        self.queues = DrillQueues(address, run.prefix, QUEUES)
        self._run = run
        self._address = address
        self._stack = stack
        self._follower = LogFollower(Path(run.folder))

    def start_loads(self) -> Sequence[LoadProcess]:
        """Start the load.

        Raises:
            DrillError: `drill.load_failed`.
        """
        commands = loads(self._run)
        entry = getattr(self.fault, "entry", None) or self._address
        plans = self._run.load_plans(entry, tuple(commands))
        return [
            self._stack.enter_context(LoadProcess(commands[plan.writer], plan)) for plan in plans
        ]

    def seen(self) -> Seen:
        """Count what the loads' logs tell until now."""
        return self._follower.seen()

    def undisturbed(self) -> AbstractContextManager[None]:
        """Let what is done in the context come to its end before a request to stop is heard."""
        return signals.deferred()


def loads(run: Run) -> Mapping[str, Sequence[str]]:
    """Name the loads of a run and their commands; none where its drill has none.

    Raises:
        DrillError: `drill.load_failed`: there is no Node BullMQ where it was said to be.
    """
    if run.scenario.load is None:
        return {}
    return load_process.commands(Path(run.modules) if run.modules else None)


@contextmanager
def parts(run: Run) -> Iterator[tuple[ExitStack, LedgerLog]]:
    """Give what the stage's parts are entered into, and the drill's log; all ends together.

    SIGTERM and SIGHUP end the block as Ctrl-C does; no second one keeps the parts from their end.

    Raises:
        DrillError: `drill.log_lost`.
    """
    with signals.unwinding(), LedgerLog(Path(run.folder), LOG) as log:
        stack = ExitStack()
        try:
            yield stack, log
        finally:
            with signals.deferred():
                stack.close()
