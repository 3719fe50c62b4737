"""The drill `kill9`: the server's process is ended with SIGKILL again and again, under load.

Hypothesis: while no fsync runs no acknowledged job is lost, and each is processed in the end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sturdis.core.address import Address
from sturdis.core.aim import Aim
from sturdis.core.drill import ledger, record, verdict
from sturdis.core.drill.events import Event, Survey
from sturdis.core.drill.ledger import Account
from sturdis.core.drill.load import LoadPlan
from sturdis.core.drill.verdict import USUAL, Judgement, Timing
from sturdis.core.errors import DrillError

QUEUES = ("drill-one", "drill-two")
"""Queues that the load uses, below a prefix of the drill's own."""


@dataclass(frozen=True)
class Kill9:
    """What to do. Times are in seconds, those of `timing` in milliseconds."""

    rounds: int = 20
    seed: int = 0
    """Decides when each kill comes and which jobs are added."""
    least_load: float = 1.2
    """Shortest time under load before a kill: an fsync comes each second, and `up` starts a server
    again at once that has served for 1 s."""
    most_load: float = 3.0
    """Longest time under load before a kill, unless the last restart took more than half of it."""
    rate: float = 100.0
    """Adds a second, shared among the loads."""
    timing: Timing = USUAL
    longest_delay: int = 1000
    """Delayed jobs wait up to this, in milliseconds."""
    prefix: str = "sturdis:drill"
    """Its keys are below this and a name of the drill's own."""
    serves_again_within: float = 60.0
    """Longest wait for the server after a kill."""
    drained_within: float = 30.0
    """Longest wait for the last jobs, once every stalled one is on its way again."""


def apart(drill: Kill9, name: str) -> Kill9:
    """Give the drill keys of its own: jobs that another left are none of its business."""
    return replace(drill, prefix=f"{drill.prefix}:{name}")


def place_of(aim: Aim) -> Address:
    """Give the address of the server to kill, which an `up` of this machine has to run.

    Raises:
        DrillError: `drill.not_ours`: its process id may be another program's on this machine.
    """
    if aim.running is None:
        raise DrillError(
            "drill.not_ours",
            f"no `up` of this machine runs the server at {aim.address}",
            why="a drill kills it by its process id, which elsewhere is another program's",
            do="sturdis up, and aim the drill at that",
        )
    return aim.address


def load_plans(
    drill: Kill9, address: Address, folder: str, writers: Sequence[str]
) -> tuple[LoadPlan, ...]:
    """Share the drill's load among load processes, by their names: all on the same queues."""
    return tuple(
        LoadPlan(
            writer=writer,
            folder=folder,
            address=address,
            queues=QUEUES,
            seed=drill.seed,
            prefix=drill.prefix,
            rate=drill.rate / len(writers),
            longest_delay=drill.longest_delay,
            lock_duration=drill.timing.lock_duration,
            stalled_interval=drill.timing.stalled_interval,
        )
        for writer in writers
    )


@dataclass(frozen=True)
class DrillRecord:
    """What a drill found."""

    account: Account
    judgement: Judgement
    timing: Timing
    torn: Sequence[str] = ()
    """Logs whose last line is incomplete: their writers were killed."""

    def lines(self) -> list[str]:
        """Give the record as people read it."""
        torn = [f"torn          the last line of {log}: nobody relied on it" for log in self.torn]
        return [*record.lines(self.account, self.judgement, self.timing), *torn]


def conclude(
    drill: Kill9, events: Iterable[Event], torn: Sequence[str], survey: Survey
) -> DrillRecord:
    """Account for every job of the drill and judge it, by its log and its survey."""
    account = ledger.account(events, survey)
    judgement = verdict.judge(account, survey.at, drill.timing)
    return DrillRecord(account, judgement, drill.timing, torn)
