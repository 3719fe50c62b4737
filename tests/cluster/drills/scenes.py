"""What tests do to the deployment in the place of a drill's fault; and drills as they are typed."""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sturdis.adapters.drill import ledger_log
from sturdis.adapters.drill_cluster.deployment import BrokenDeployment
from sturdis.adapters.drill_cluster.target import ClusterStage, ClusterTarget
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.drill.events import Event
from sturdis.core.drill.faults.cluster import PodDelete
from sturdis.core.drill.ledger import Fate
from sturdis.core.drill.observed import Figures
from sturdis.core.drill.outcome import Outcome
from sturdis.core.drill.run import Run
from sturdis.core.drill.scenario import Load, Scenario, Steady
from sturdis.core.drill.stage import Fault
from sturdis.core.report import Verdict
from sturdis.wiring import cluster_drills, drills
from tests.cluster.drills.faulty import Faulty
from tests.cluster.machine.places import HOOKS
from tests.integration.running import sturdis

LOAD = Load(rate=40.0, lock_duration=2000, stalled_interval=1000)
"""BullMQ's own 30 s and 30 s would make the last verdict wait for 90 s."""

SCENARIO = Scenario(
    name="of-a-test",
    hypothesis="What the test does costs no acknowledged job.",
    fault=PodDelete(),  # the test's own act takes its place
    undo="The test does it.",
    needs=(),
    load=LOAD,
    steady=Steady(acknowledged=100, processed=50),
    rounds=1,
    under_load=(2.0, 3.0),
    observe=4.0,
    serves_again_within=120.0,
)


@dataclass
class Act:
    """A fault that is what a test does; it is over when that returns."""

    do: Callable[[], object]

    def prepare(self) -> None:
        """Do nothing."""

    def inject(self, _number: int) -> Sequence[Event]:
        self.do()
        return ()

    def undo(self, _number: int, _seconds: float) -> Sequence[Event]:
        return ()

    def figures(self) -> Figures:
        return {}


@dataclass
class _Acted:
    """A target whose fault is the test's."""

    target: ClusterTarget
    fault: Callable[[BrokenDeployment, Run], Fault]

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def server(self) -> str:
        return self.target.server

    def lacking(self, _scenario: Scenario) -> Sequence[str]:
        return ()

    @contextmanager
    def stage(self, run: Run) -> Iterator[ClusterStage]:
        with self.target.staged(run, lambda on, _pods: self.fault(on, run)) as stage:
            yield stage


def under_load(
    redis: Faulty,
    folder: Path,
    fault: Callable[[BrokenDeployment, Run], Fault],
    scenario: Scenario = SCENARIO,
) -> Outcome:
    """Do something to the deployment under load, before and after it, and account for each job."""
    request = ClusterRequest(redis.deployed.cluster.context)
    log = folder / uuid.uuid4().hex
    run = Run(scenario, 9, scenario.rounds, str(log), uuid.uuid4().hex)
    with cluster_drills.target(request, redis.deployed.spec, HOOKS) as target:
        outcome, _survey = drills.run_on(_Acted(target, fault), run)
    return outcome


def act(do: Callable[[], object]) -> Callable[[BrokenDeployment, Run], Fault]:
    """Take what a test does for a fault."""
    return lambda _on, _run: Act(do)


def told(run: Run, kind: type[Event], since: int = 0) -> int:
    """Count the events of a kind that the logs of a run hold until now, from a time on."""
    found = ledger_log.read(Path(run.folder)).events
    return sum(isinstance(event, kind) and event.at >= since for event in found)


def first(run: Run, kind: type[Event]) -> int:
    """Give when the first event of a kind was, in milliseconds since 1970."""
    found = ledger_log.read(Path(run.folder)).events
    return min(event.at for event in found if isinstance(event, kind))


def line(what: str, outcome: Outcome) -> str:
    """Give what it cost, as people read it."""
    return _line(what, outcome.figures)


def _line(what: str, figures: Figures) -> str:
    shown = ("double_adds", "redeliveries", "replays", "refused", "in_doubt")
    rest = ", ".join(f"{name} {figures[name]:g}" for name in shown)
    return (
        f"fault {what}: acknowledged {figures['acknowledged']:g}, LOST {figures['lost']:g}, "
        f"downtime {figures['downtime']} s, {rest}"
    )


def holds(outcome: Outcome) -> None:
    """Nothing acknowledged was lost, and each job was done."""
    assert outcome.account
    assert outcome.verdict is Verdict.PASS, outcome.reasons
    assert outcome.account.fates[Fate.PROCESSED] == len(outcome.account.entries) > 0


@dataclass(frozen=True)
class Drilled:
    """What `sturdis drill run` answered."""

    status: int
    run: dict[str, Any]
    """The one run; empty: there was none."""
    aside: str

    def line(self, what: str) -> str:
        return _line(what, self.run["figures"])


def where(redis: Faulty, *, context: str = "") -> Sequence[str]:
    """Give the options that name the deployment."""
    deployed = redis.deployed
    return ("--context", context or deployed.cluster.context, "--spec", str(deployed.file))


def typed(redis: Faulty, name: str, *, hooks: bool = True, context: str = "") -> Sequence[str]:
    """Give what is typed to run a drill."""
    hands = ("--hooks", str(HOOKS)) if hooks else ()
    return ("drill", "run", name, "--seed", "9", *where(redis, context=context), *hands)


def left(redis: Faulty) -> list[str]:
    """Give what a drill has left in the namespace."""
    listed = redis.deployed.kubectl("get", "pods,configmaps", "--output=name").split()
    return [one for one in listed if "-drill-" in one]


def drill(redis: Faulty, name: str, *words: str, **how: Any) -> Drilled:
    """Run one drill as it is typed."""
    answer = sturdis(*typed(redis, name, **how), *words, "--json", timeout=400)
    told = json.loads(answer.stdout)
    assert "runs" in told, told
    return Drilled(answer.returncode, told["runs"][0], answer.stderr)


def passes(drilled: Drilled) -> None:
    """The drill passed."""
    assert drilled.status == 0, (drilled.run, drilled.aside)
    assert drilled.run["figures"]["lost"] == 0
    assert drilled.run["figures"]["processed"] == drilled.run["figures"]["acknowledged"] > 0
