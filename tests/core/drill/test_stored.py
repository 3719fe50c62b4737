"""What is kept of a run: the command that runs it again, and exit statuses."""

import shlex

import pytest

from sturdis.core.drill import asking
from sturdis.core.drill.asking import DrillRequest
from sturdis.core.drill.stored import Choices, Reason, StoredRun
from sturdis.core.errors import UsageError
from sturdis.core.report import Verdict, exit_status


def stored(choices: Choices | None = None, verdict: Verdict = Verdict.PASS) -> StoredRun:
    return StoredRun(
        drill="kill-9",
        hypothesis="h",
        fault="kill",
        undo="u",
        seed=7,
        rounds=3,
        choices=choices or Choices(),
        server="redis 7.0.15",
        began=0,
        ended=1,
        reasons=(Reason(verdict, "why"),),
    )


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (Choices(), ""),
        (Choices(target="up"), "--target up"),
        (
            Choices(target="c", in_cluster=True, namespace="n", spec="s.yaml", environment="e"),
            "--context c -n n --spec s.yaml --env e",
        ),
        (Choices(server="/a b", guarded=False), "--server '/a b' --no-guard"),
        (Choices(configuration="seed", modules="m"), "--configuration seed --modules m"),
    ],
)
def test_the_command_that_runs_it_again_says_all_that_was_typed(choices, expected):
    words = shlex.split(stored(choices).command)
    options = shlex.split(expected)
    assert words == ["sturdis", "drill", "run", "kill-9", *options, *_seeded()]


def _seeded() -> list[str]:
    return ["--seed", "7", "--rounds", "3"]


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([Verdict.PASS], 0),
        ([Verdict.PASS, Verdict.UNKNOWN], 3),
        ([Verdict.UNKNOWN, Verdict.FAIL, Verdict.PASS], 1),
    ],
)
def test_a_failure_decides_the_exit_status_before_what_is_unknown(verdicts, status):
    runs = [stored(verdict=verdict) for verdict in verdicts]
    assert exit_status(run.verdict for run in runs) == status


@pytest.mark.parametrize(
    "request_",
    [
        DrillRequest(rounds=0),
        DrillRequest(rounds=10_001),
        DrillRequest(seed=-1),
        DrillRequest(seed=1 << 31),
        DrillRequest(Choices(target="up", server="/redis")),
        DrillRequest(Choices(target="up", guarded=False)),
        DrillRequest(Choices(target="up", configuration="seed")),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(request_):
    with pytest.raises(UsageError):
        asking.refuse_senseless(request_)
