"""Each shipped drill can fail: by each figure that it expects, by its losses, and by its code."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping

import pytest

from sturdis.adapters.drill import scenario_files
from sturdis.adapters.drill_cluster import faults as in_cluster
from sturdis.adapters.faults import (
    bit_flip,
    clock,
    disk,
    files,
    full_memory,
    memory,
    network,
    power,
    process,
    torn_multi,
    version,
)
from sturdis.core.drill import drill_changes, ledger_figures, outcome
from sturdis.core.drill.drill_changes import Changes
from sturdis.core.drill.events import Destroyed
from sturdis.core.drill.ledger import account
from sturdis.core.drill.observed import Expectation
from sturdis.core.drill.outcome import Ran
from sturdis.core.drill.scenario import Loss, Scenario
from sturdis.core.report import Verdict
from tests.core import drills

DRILLS = scenario_files.shipped()
FIGURES = [
    pytest.param(one, name, id=f"{one.name}-{name}")
    for one in DRILLS
    for name in one.expect.figures
]

MADE_BY: Mapping[str, tuple[type, ...]] = {
    "bit-flip": (bit_flip.BitFlip,),
    "bit-flips": (bit_flip.BitFlips,),
    "client-storm": (network.ClientStorm,),
    "clock-step": (clock.ClockStep,),
    "cut-connections": (network.CutConnections,),
    "disk-full": (disk.DiskFull,),
    "disk-full-rewrite": (disk.DiskFullRewrite,),
    "failed-fsync": (disk.FailedFsync,),
    "kill-9": (process.Kill,),
    "kill-9-loading": (process.KillInLoading,),
    "kill-9-rewrite": (process.KillInRewrite,),
    "memory-full": (memory.MemoryFull, full_memory.FullMemory),
    "memory-kernel": (memory.MemoryKernel,),
    "node-crash": (in_cluster.NodeCrashed,),
    "nul-tail": (files.NulTail,),
    "partition": (network.Partition,),
    "pod-delete": (in_cluster.PodDeleted,),
    "power-cut": (power.PowerCut,),
    "power-cut-rewrite": (power.PowerCut,),
    "server-downgrade": (version.ServerDowngrade,),
    "server-upgrade": (version.ServerUpgrade,),
    "slow-fsync": (power.SlowFsync,),
    "slow-link": (network.SlowLink,),
    "stop": (process.Stop,),
    "torn-multi": (torn_multi.TornMultiFault,),
    "torn-tail": (files.TornTail,),
    "volume-lost": (files.VolumeLost,),
}
"""Drill to the classes that make its figures beside those of the ledger."""


def met(expectation: Expectation) -> float:
    """Give a figure that is as expected."""
    limits = (expectation.equals, expectation.at_least, expectation.at_most)
    return next(one for one in limits if one is not None)


def missed(expectation: Expectation) -> float:
    """Give a count or a time, so not less than 0, that is not as expected."""
    tried = (met(expectation) + 1, met(expectation) / 2)
    return next(one for one in tried if not expectation.holds(one))


def concluded(scenario: Scenario, ran: Ran, left: drills.Drill | None = None) -> Verdict:
    run = drill_changes.run(scenario, Changes(seed=1), "/run", "name")
    return outcome.conclude(run, left.events if left else (), (), ran).verdict


@pytest.mark.parametrize(("scenario", "name"), FIGURES)
def test_a_figure_that_is_not_as_expected_fails_the_drill(scenario, name):
    expected = scenario.expect.figures
    fine: dict[str, float | None] = {one: met(what) for one, what in expected.items()}
    assert concluded(scenario, Ran(None, fine)) is Verdict.PASS
    broken = fine | {name: missed(expected[name])}
    assert concluded(scenario, Ran(None, broken)) is Verdict.FAIL
    assert concluded(scenario, Ran(None, fine | {name: None})) is Verdict.UNKNOWN


def unexcused() -> drills.Drill:
    """An acknowledged job that is lost without a kill."""
    lost = drills.acknowledged("lost", 50)
    return drills.drill(*drills.acknowledged("fine", 5), drills.done("fine"), *lost)


def taken(*, everything: bool) -> drills.Drill:
    """One that went with destroyed bytes, or with all of the data."""
    gone = Destroyed(9_800, 1, 100, () if everything else ("lost",), everything)
    lost = (*drills.acknowledged("lost", 9_500), *drills.killed(1, 9_700), gone)
    return drills.drill(*drills.acknowledged("fine", 5), drills.done("fine"), *lost)


WORSE: Mapping[Loss, drills.Drill] = {
    Loss.NONE: taken(everything=False),
    Loss.WINDOW: taken(everything=False),
    Loss.DAMAGE: taken(everything=True),
    Loss.ALL: unexcused(),
}
"""What a drill may lose to the run that lost more than that."""


@pytest.mark.parametrize("scenario", [one for one in DRILLS if one.load], ids=lambda one: one.name)
def test_a_loss_that_the_drill_does_not_allow_fails_it(scenario):
    fine: dict[str, float | None] = {
        one: met(what) for one, what in scenario.expect.figures.items()
    }
    for left in (unexcused(), WORSE[scenario.expect.lost]):
        assert concluded(scenario, Ran(left.survey, fine), left) is Verdict.FAIL


def counted(of: type) -> Iterator[str]:
    """Name the figures that a class counts: what it only sets at the beginning is none.

    Read are `x[name] += …`, where `name` may be chosen among words of the same method, and what
    `figures` gives that is no constant.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(of)))
    for method in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        words = [str(one.value) for one in ast.walk(method) if isinstance(one, ast.Constant)]
        for node in ast.walk(method):
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
                key = node.target.slice
                yield from [str(key.value)] if isinstance(key, ast.Constant) else words
            if isinstance(node, ast.Dict) and method.name == "figures":
                pairs = zip(node.keys, node.values, strict=True)
                yield from (
                    str(key.value)
                    for key, value in pairs
                    if isinstance(key, ast.Constant) and not isinstance(value, ast.Constant)
                )


@pytest.mark.parametrize(("scenario", "name"), FIGURES)
def test_a_figure_that_is_expected_is_one_that_the_fault_or_the_ledger_counts(scenario, name):
    assert name in of_the_fault(scenario) | of_the_ledger()


@pytest.mark.parametrize("scenario", [one for one in DRILLS if one.load], ids=lambda one: one.name)
def test_no_figure_of_a_fault_has_the_name_of_one_of_the_ledger(scenario):
    assert not of_the_fault(scenario) & of_the_ledger(), "the ledger's would be judged instead"


def of_the_fault(scenario: Scenario) -> set[str]:
    makers = (one for kind in MADE_BY[scenario.name] for one in kind.__mro__ if one is not object)
    return {figure for maker in makers for figure in counted(maker)}


def of_the_ledger() -> set[str]:
    left = unexcused()
    return set(ledger_figures.of(account(left.events, left.survey), left.events))


def test_each_shipped_drill_is_looked_at():
    assert {*MADE_BY} == {one.name for one in DRILLS}


def test_what_is_only_set_at_the_beginning_is_not_counted():
    assert {"untold", "repaired", "unmet"} <= {*counted(bit_flip.BitFlip)}
    assert "unmet" not in {*counted(files.NulTail)} | {*counted(files.Torn)}
