"""Every drill once on every server of the matrix, with one seed: short, and the same each time."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from record import batches

from sturdis.core.drill.scenario import Scenario
from tests import matrix, tiers
from tests.integration.running import STURDIS
from tests.matrix import Row

SEED = 60
ROUNDS = 1
AT_ONCE = 4
"""Drills beside each other: most of the time of each is waiting."""

LONG = "bit-flips"
"""A drill that starts a server hundreds of times: first, so that the others run beside it."""

ELSEWHERE = "torn-multi"
"""Run by test_torn_multi.py, on every server."""

NO_OTHER_SERVER = (
    ("server-downgrade", "redis-7.0"), ("server-upgrade", "redis-8.0"),
    ("server-upgrade", "valkey-9.1"),
)  # fmt: skip
"""No server of the matrix is older, or reads what these write."""

EXIT_STATUS = {"pass": 0, "fail": 1, "unknown": 3}


def local() -> list[Scenario]:
    """Give the drills that a machine of one's own may run, the longest first."""
    ours = (one for one in batches.local() if one.name != ELSEWHERE)
    return sorted(ours, key=lambda one: (one.name != LONG, one.name))


@dataclass(frozen=True)
class Case:
    """One drill on one server."""

    drill: str
    row: Row

    def __str__(self) -> str:
        return f"{self.drill}-{self.row}"


CASES = tuple(
    Case(scenario.name, row)
    for scenario in local()
    for row in matrix.ROWS
    if (scenario.name, str(row)) not in NO_OTHER_SERVER
)


def run(case: Case, home: Path) -> Mapping[str, Any]:
    """Run a case, and once more with the next seed where its fault was not met.

    On a machine with much to do an fsync is over before the kill comes, or a client reads a reply
    so late that nobody can tell which server gave it: that tried nothing. What was lost stays lost.
    """
    told = once(case, home / "first", SEED)
    return once(case, home / "again", SEED + 1) if tried_nothing(told) else told


def tried_nothing(told: Mapping[str, Any]) -> bool:
    failed = [one["what"] for one in told["reasons"] if one["verdict"] == "fail"]
    return told["verdict"] == "unknown" or (
        bool(failed) and all(one.startswith("unmet ") for one in failed)
    )


def once(case: Case, home: Path, seed: int) -> Mapping[str, Any]:
    """Run a case by the command line; two drills of one user would wait for each other."""
    home.mkdir()
    command = [*STURDIS, "drill", "run", case.drill, "--server", case.row.server, "--json"]
    command += ["--seed", str(seed), "--rounds", str(ROUNDS)]
    if not tiers.missing("node"):
        command += ["--modules", str(tiers.ROOT / "examples/bullmq")]
    environ = os.environ | {"HOME": str(home)}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    try:
        (told,) = json.loads(ended.stdout)["runs"]
    except (KeyError, ValueError):
        pytest.fail(f"{ended.returncode}\n{ended.stdout}\n{ended.stderr}")
    assert ended.returncode == EXIT_STATUS[told["verdict"]], ended.stderr
    return dict(told)


Verdicts = Mapping[Case, "Future[Mapping[str, Any]]"]


@pytest.fixture(scope="session")
def verdicts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Verdicts]:
    """Run the cases that were asked for, some at a time, and give what each comes to."""
    asked = (getattr(item, "callspec", None) for item in request.session.items)
    named = (one.params.get("case") for one in asked if one)
    chosen = [case for case in named if isinstance(case, Case)]  # other tests have cases, too
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            case: pool.submit(run, case, tmp_path_factory.mktemp(str(case)))
            for case in chosen
            if not tiers.missing(case.row.tier)
        }
        pool.shutdown(cancel_futures=True)


def test_the_set_has_sixty_cases_or_more():
    assert len(CASES) >= 60
    assert {case.row for case in CASES} == {*matrix.ROWS}


@pytest.mark.parametrize(
    ("verdict", "reasons", "nothing"),
    [
        ("pass", [("pass", "all processed")], False),
        ("unknown", [("unknown", "it cannot be told which server gave the reply")], True),
        ("fail", [("fail", "unmet 1; expected 0"), ("pass", "all processed")], True),
        ("fail", [("fail", "1 acknowledged job LOST"), ("fail", "unmet 1; expected 0")], False),
        ("fail", [("fail", "1 acknowledged job LOST"), ("unknown", "1 pending")], False),
    ],
)
def test_only_a_drill_that_tried_nothing_is_run_again(verdict, reasons, nothing):
    told = {"verdict": verdict, "reasons": [{"verdict": v, "what": w} for v, w in reasons]}
    assert tried_nothing(told) is nothing


@pytest.mark.timeout(900)  # of all of them: the first to ask may wait for others
@pytest.mark.parametrize(
    "case", [pytest.param(one, id=str(one), marks=pytest.mark.tier(one.row.tier)) for one in CASES]
)
def test_a_fault_costs_no_more_than_its_drill_says(case, verdicts, tell):
    told = verdicts[case].result()
    why = [f"{reason['verdict']}: {reason['what']}" for reason in told["reasons"]]
    tell([f"seed {told['seed']}: {one}" for one in why[:2]])
    if told["verdict"] == "unknown" and not tiers.REQUIRED:
        pytest.skip(why[0])
    assert told["verdict"] == "pass", told
