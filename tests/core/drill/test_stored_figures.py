"""What is kept of a run is held together: its record against its logs and its survey."""

import msgspec
import pytest

from sturdis.core.drill import stored_figures
from sturdis.core.drill.events import Phase
from sturdis.core.drill.ledger import account
from sturdis.core.drill.phases import Part
from sturdis.core.drill.stored import Choices, Reason, StoredRun
from sturdis.core.report import Verdict
from tests.core import drills

STEADY = Phase(0, Part.STEADY, 0, 90)

LEFT = drills.drill(
    STEADY,
    *drills.acknowledged("done", 50), drills.started("done", 60), drills.done("done", 70),
    *drills.acknowledged("lost", 80, job_id="2"),
)  # fmt: skip
ACCOUNT = account(LEFT.events, LEFT.survey)


def run(verdict: Verdict = Verdict.PASS, **figures: float | None) -> StoredRun:
    return StoredRun(
        drill="kill-9",
        hypothesis="h",
        fault="kill",
        undo="u",
        seed=7,
        rounds=3,
        choices=Choices(),
        server="redis 7.0.15",
        began=0,
        ended=1,
        reasons=(Reason(verdict, "why"),),
        figures=figures,
    )


OWN = run(acknowledged=2.0, processed=1.0, lost=1.0, kills=3.0)


def test_a_run_that_is_whole_differs_in_nothing():
    assert stored_figures.differing(OWN, LEFT.events, ACCOUNT) == ""


@pytest.mark.parametrize("name", stored_figures.COUNTED)
def test_a_figure_that_the_logs_do_not_tell_is_named(name):
    other = msgspec.structs.replace(OWN, figures={**OWN.figures, name: 463.0})
    assert f"{name}: 463.0" in stored_figures.differing(other, LEFT.events, ACCOUNT)


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.FAIL])
def test_a_verdict_without_logs_is_none(verdict):
    assert "no part" in stored_figures.differing(run(verdict, kills=3.0), (), None)


def test_a_survey_that_is_gone_is_told():
    assert "survey" in stored_figures.differing(OWN, LEFT.events, None)


def test_a_run_that_was_never_begun_has_no_logs():
    assert stored_figures.differing(run(Verdict.UNKNOWN), (), None) == ""
    assert stored_figures.differing(run(kills=3.0), (STEADY,), None) == ""
