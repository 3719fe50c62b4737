"""A fault under load, from the first job to the verdict."""

import contextlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import msgspec

from sturdis.adapters.drill import ledger_log
from sturdis.adapters.drill.server import SystemClock
from sturdis.core.drill import kill9 as drills
from sturdis.core.drill.events import Acknowledged, Event
from sturdis.core.drill.kill9 import DrillRecord, Kill9
from sturdis.core.drill.ledger import Fate
from sturdis.core.drill.verdict import Timing
from sturdis.flows import kill9 as flow
from tests.cluster.drills.faulty import Faulty, Killable, now
from tests.cluster.drills.load_pods import LANGUAGES, LoadPods, Loads

SHORTENED = Timing(lock_duration=2000, stalled_interval=1000)
"""BullMQ's own 30 s and 30 s would make the last verdict wait for 90 s."""
RATE = 40.0
UNDER_LOAD = 200
"""Acknowledged jobs before a fault, and again after it: five seconds."""


@dataclass(frozen=True)
class Outage:
    """One fault as the clients saw it, in milliseconds."""

    downtime: int
    """The longest time without an acknowledged add, from the last one before the fault on."""
    over_after: int
    """From the fault until it was over."""

    def __str__(self) -> str:
        return f"{self.downtime / 1000:.1f} s (over after {self.over_after / 1000:.1f} s)"


@dataclass(frozen=True)
class Cost:
    """What faults cost."""

    record: DrillRecord
    outages: Sequence[Outage]

    @property
    def acknowledged(self) -> int:
        return len(self.record.account.entries)

    @property
    def lost(self) -> int:
        return self.record.account.fates[Fate.LOST]

    def line(self, fault: str) -> str:
        """Give it as people read it."""
        account = self.record.account
        twice = [f"{count} by {cause.value}" for cause, count in account.duplicates.items()]
        return (
            f"fault {fault}: acknowledged {self.acknowledged}, LOST {self.lost}, "
            f"downtime {' and '.join(map(str, self.outages))}, "
            f"duplicates {', '.join(twice) or 'none'}, "
            f"refused {account.unpromised.rejected}, in doubt {account.unpromised.in_doubt}"
        )


class Scene(AbstractContextManager["Scene"]):
    """Load in pods on a deployment; the fault is the test's.

    Args:
        clients: The pods of load.
        on: The deployment.
        changes: To the plans of the loads.
    """

    def __init__(self, clients: LoadPods, on: Faulty, **changes: Any) -> None:
        name = uuid.uuid4().hex
        self.drill = drills.apart(Kill9(rounds=2, seed=9, rate=RATE, timing=SHORTENED), name)
        self.on = on
        self.loads = Loads(clients)
        self._killable = Killable(on)
        self._changes = changes
        self._parts = ExitStack()
        self._faults: list[tuple[int, int]] = []
        """When each began and was over, in milliseconds since 1970."""

    def __enter__(self) -> Self:
        """Start the load."""
        with ExitStack() as parts:
            parts.enter_context(self.loads)
            given = (self.drill, self.on.address, str(self.loads.folder), tuple(LANGUAGES))
            for plan in drills.load_plans(*given):
                self.loads.start(msgspec.structs.replace(plan, **self._changes))
            self._log = parts.enter_context(ledger_log.LedgerLog(self.loads.folder, "drill"))
            self._parts = parts.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._parts.close()

    def under_load(self) -> None:
        """Return when jobs were acknowledged for a while."""
        self.loads.followed.wait_for(Acknowledged, UNDER_LOAD, since=now())

    @contextlib.contextmanager
    def fault(self) -> Iterator[None]:
        """Have a fault in the block, which ends when it is over."""
        began = now()
        yield
        self._faults.append((began, now()))

    def kill(self, number: int) -> None:
        """End the server's process, and return when its container serves again."""
        killed = self._killable.kill(number)
        self._log.append(killed).result()
        served = self._killable.wait_until_served(number, self.drill.serves_again_within)
        self._log.append(served).result()
        self._faults.append((killed.at, served.at))

    def conclude(self) -> Cost:
        """End the load, let all jobs settle, and account for each."""
        stage = flow.Stage(
            self._killable, self.loads.processes, self.on.queues(self.drill), self._log,
            SystemClock(),
        )  # fmt: skip
        survey = flow.finish(self.drill, self._faults[-1][1], stage)
        self.loads.fetch()
        logs = ledger_log.read(self.loads.folder)
        torn = [str(one.path) for one in logs.torn]
        record = drills.conclude(self.drill, logs.events, torn, survey)
        return Cost(record, _outages(logs.events, self._faults))


def _outages(events: Iterable[Event], faults: Sequence[tuple[int, int]]) -> Sequence[Outage]:
    """Give what clients saw of each fault, until the next one began."""
    at = sorted(event.at for event in events if isinstance(event, Acknowledged))
    ends = [*(began for began, _over in faults[1:]), at[-1] + 1]
    found = []
    for (began, over), end in zip(faults, ends, strict=True):
        gaps = (after - before for before, after in pairwise(at) if began <= after < end)
        found.append(Outage(max(gaps), over - began))
    return found
