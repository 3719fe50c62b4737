"""How a drill ends that an error ends, after what was found or before: a failure stays one."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sturdis import wiring
from sturdis.adapters.drill.local_target import LocalTarget
from sturdis.adapters.drill.stage import LocalStage
from sturdis.adapters.faults.repairing import repair
from sturdis.core.drill import drill_changes, scenario_file
from sturdis.core.drill.asking import DrillRequest
from sturdis.core.drill.drill_changes import Changes
from sturdis.core.drill.faults.process import Kill
from sturdis.core.drill.run import Run
from sturdis.core.drill.scenario import Scenario
from sturdis.core.drill.stored import Choices
from sturdis.core.errors import DrillError
from sturdis.core.report import Verdict
from sturdis.wiring import drills
from tests.drills.rigs import faulty

pytestmark = pytest.mark.tier("embedded")

KILLS = """\
name: kills
hypothesis: the server can be killed
fault: {kind: kill}
undo: it is started again
needs: [kill, restart]
load: null
expect: {figures: {kills: {equals: %d}}}
rounds: 1
"""


class LeftBadly:
    """A server of a drill's own whose stage cannot be taken down."""

    name = "local"

    def __init__(self) -> None:
        self._local = LocalTarget("embedded")
        self.server = self._local.server

    def lacking(self, scenario: Scenario) -> Sequence[str]:
        return self._local.lacking(scenario)

    @contextlib.contextmanager
    def stage(self, run: Run) -> Iterator[LocalStage]:
        with self._local.stage(run) as stage:
            yield stage
        raise DrillError("drill.load_failed", "a load did not end", why="it hung", do="look")


@pytest.mark.parametrize(("kills", "verdict"), [(1, Verdict.UNKNOWN), (99, Verdict.FAIL)])
def test_a_stage_that_cannot_be_taken_down_hides_no_failure(kills, verdict, tmp_path):
    scenario = scenario_file.read(KILLS % kills, source="kills.yaml")
    run = drill_changes.run(scenario, Changes(1), str(tmp_path), "kills")
    outcome, _survey = drills.run_on(LeftBadly(), run)
    assert outcome.verdict is verdict
    assert "a load did not end: it hung" in outcome.reasons
    assert outcome.figures["kills"] == 1


def test_a_repair_that_is_too_slow_is_no_finding(tmp_path):
    with faulty(tmp_path, Kill(), "embedded") as fault:
        fault.rig.end_all()
        with pytest.raises(DrillError) as slow:
            repair(fault.rig, 1, seconds=0.01)
        assert slow.value.code == "drill.lacking"
        assert (fault.rig.data / "appendonlydir").exists()  # it is what it was
        fault.rig.start()


class Aghast:
    """Hears that a drill begins, and breaks as a program with a defect does."""

    def begins(self, drill: str, seed: int, rounds: int) -> None:
        del drill, seed, rounds

    def part(self, part: object, number: int) -> None:
        raise ZeroDivisionError(part, number)

    def ended(self, run: object, folder: str) -> None:
        del run, folder


def test_a_defect_is_not_kept_as_an_interruption(tmp_path):
    path = tmp_path / "kills.yaml"
    path.write_text(KILLS % 1)
    request = DrillRequest(Choices(server="embedded"), drills=(str(path),), seed=1)
    with pytest.raises(ZeroDivisionError):
        wiring.run_drills(request, Aghast())
    told = wiring.report_drill()
    assert [one.what for one in told.run.reasons] == ["a defect of sturdis ended it"]
    assert not (Path(told.folder) / "run.json.new").exists()
