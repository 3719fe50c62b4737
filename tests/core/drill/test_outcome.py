"""One verdict: of the ledger, of what the drill's file expects, and of how the run went."""

import msgspec
import pytest

from sturdis.core.drill import drill_changes, outcome, scenario_file
from sturdis.core.drill.drill_changes import Changes
from sturdis.core.drill.events import Destroyed, Event, Phase, SurveyedJob
from sturdis.core.drill.observed import Expectation
from sturdis.core.drill.outcome import Ran, Seen
from sturdis.core.drill.phases import Part
from sturdis.core.drill.scenario import Expected, Loss
from sturdis.core.report import Verdict
from tests.core import drills

SCENARIO = scenario_file.read(
    "{name: x, hypothesis: h, fault: {kind: kill}, undo: u, needs: []}", source="x"
)
RUN = drill_changes.run(SCENARIO, Changes(seed=1), "/run", "name")


def concluded(
    *parts: Event | SurveyedJob,
    expected: Expected | None = None,
    figures: dict[str, float | None] | None = None,
    found: tuple[tuple[Verdict, str], ...] = (),
):
    left = drills.drill(*drills.acknowledged("fine", 5), drills.done("fine"), *parts)
    scenario = msgspec.structs.replace(SCENARIO, expect=expected or Expected())
    run = drill_changes.run(scenario, Changes(seed=1), "/run", "name")
    survey = None if found else left.survey
    return outcome.conclude(run, left.events, (), Ran(survey, figures or {}, found))


def excused():
    return (*drills.acknowledged("lost", 9_500), *drills.killed(1, 10_000, pending=True))


def destroyed(*, everything: bool = False):
    event = Destroyed(9_800, 1, 100, uuids=("lost",), everything=everything)
    return (*drills.acknowledged("lost", 9_500), *drills.killed(1, 9_700), event)


def test_all_processed_and_nothing_expected_beside_is_a_pass():
    assert concluded().verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("allowed", "parts", "expected"),
    [
        (Loss.NONE, excused(), Verdict.FAIL),
        (Loss.WINDOW, excused(), Verdict.PASS),
        (Loss.WINDOW, destroyed(), Verdict.FAIL),
        (Loss.DAMAGE, excused(), Verdict.PASS),
        (Loss.DAMAGE, destroyed(), Verdict.PASS),
        (Loss.DAMAGE, destroyed(everything=True), Verdict.FAIL),
        (Loss.ALL, destroyed(everything=True), Verdict.PASS),
        # evidence decides first: whatever the file allows, what nothing excuses fails
        (Loss.ALL, (*drills.acknowledged("lost", 50), *drills.killed(1, 100)), Verdict.FAIL),
    ],
)
def test_a_loss_needs_evidence_and_the_drills_leave(allowed, parts, expected):
    assert concluded(*parts, expected=Expected(allowed)).verdict is expected


def test_losses_to_ids_that_came_again_need_a_drill_that_names_their_figure():
    parts = (
        *drills.acknowledged("old", 9_500, "7"), *drills.killed(1, 10_000, pending=True),
        *drills.acknowledged("new", 10_200, "7"), drills.done("old", 10_300, job_id="7"),
    )  # fmt: skip
    told = concluded(*parts, expected=Expected(Loss.WINDOW))
    assert (told.verdict, told.reasons[0]) == (Verdict.FAIL, "lost_to_reused_ids 1; expected 0")
    assert any(line.startswith("reused ids    1 ") for line in told.lines())
    named = Expected(Loss.WINDOW, {"lost_to_reused_ids": Expectation(at_least=0)})
    assert concluded(*parts, expected=named).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [({"kills": 3.0}, Verdict.PASS), ({"kills": 2.0}, Verdict.FAIL), ({}, Verdict.UNKNOWN)],
)
def test_figures_that_are_expected_join_the_verdict(figures, verdict):
    expected = Expected(figures={"kills": Expectation(equals=3)})
    assert concluded(expected=expected, figures=figures).verdict is verdict


def test_the_ledgers_own_figures_can_be_expected():
    expected = Expected(figures={"processed": Expectation(equals=1)})
    assert concluded(expected=expected).verdict is Verdict.PASS


def test_what_ended_a_run_is_its_verdict_and_the_figures_of_a_part_are_not_judged():
    expected = Expected(figures={"kills": Expectation(equals=3)})
    found = ((Verdict.FAIL, "after fault 1: it did not serve"),)
    told = concluded(expected=expected, figures={"kills": 1.0}, found=found)
    assert told.found == found
    assert told.figures == {"kills": 1.0}


def test_the_worst_reason_comes_first():
    expected = Expected(figures={"b": Expectation(equals=1), "a": Expectation(equals=1)})
    told = concluded(expected=expected, figures={"a": 2.0})
    verdicts = [verdict for verdict, _reason in told.found]
    assert verdicts == [Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS]
    assert told.verdict is Verdict.FAIL


def test_the_longest_fsync_that_was_measured_widens_the_window():
    told = concluded(figures={"longest_fsync": 3.0})
    assert told.timing.window == 4000


def test_a_drill_that_nothing_was_seen_of_is_unknown():
    told = outcome.conclude(RUN, (), (), Ran(None))
    assert told.verdict is Verdict.UNKNOWN


def test_phases_are_no_events_of_jobs():
    told = concluded(Phase(1, Part.STEADY, 0, 4))
    assert told.verdict is Verdict.PASS
    assert [phase.part for phase in told.phases] == [Part.STEADY]


def test_what_was_not_run_is_unknown_with_every_reason():
    told = outcome.untouched(["preload: no cc", "node: none"])
    assert (told.verdict, told.reasons) == (Verdict.UNKNOWN, ("preload: no cc", "node: none"))


@pytest.mark.parametrize(("seen", "enough"), [(Seen(2, 1), True), (Seen(1, 9), False)])
def test_a_steady_state_needs_adds_and_work(seen, enough):
    assert seen.covers(Seen(2, 1)) is enough
