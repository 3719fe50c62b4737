"""kill -9 of the server under load, again and again: what was acknowledged is there."""

import shutil

import pytest

from sturdis import wiring
from sturdis.adapters.drill import ledger_log
from sturdis.core.drill import losses
from sturdis.core.drill.drill_changes import Changes
from sturdis.core.drill.duplicates import Cause
from sturdis.core.drill.events import Acknowledged, Done, Killed
from sturdis.core.drill.ledger import Fate
from sturdis.core.errors import DrillError
from sturdis.core.report import Verdict
from tests import slow_disk, tiers
from tests.integration.running import SERVERS, program, running
from tests.integration.servers import LOOPBACK, start_server

LEAST_LOAD = 1.2
"""Seconds that an `up` serves before it is killed again: it forgets earlier ends after 1 s."""

RATE = 25.0
"""Adds a second; what is loaded at each start grows with it, and the wait before the next kill."""

ROUNDS = tuple(
    pytest.param(*row.values, rounds, id=f"{row.id}-{rounds}-rounds", marks=row.marks)
    for row, rounds in zip(SERVERS, (10, 6, 6, 10), strict=True)
)
"""More on the oldest and the newest server; the drill record has a thousand of each."""


def modules() -> str | None:
    """Where the Node BullMQ is; None where it is missing: Python then makes all of the load."""
    return None if tiers.missing("node") else str(tiers.ROOT / "examples/bullmq")


def kills(rounds: int, **load: float) -> Changes:
    return Changes(
        seed=9,
        rounds=rounds,
        modules=modules(),
        load={"rate": RATE, "lock_duration": 2000, "stalled_interval": 1000, **load},
        scenario={"under_load": (LEAST_LOAD, 1.8)},
    )


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("server", "rounds"), ROUNDS)
def test_kills_under_load_lose_no_acknowledged_job(server, rounds, tmp_path, tell):
    with running("--server", server, "--drills", "--data", str(tmp_path / "data")) as up:
        outcome = wiring.drill("kill-9", kills(rounds), target=up.url, folder=tmp_path / "log")
    tell(outcome.lines())
    account = outcome.account
    assert outcome.verdict is Verdict.PASS, outcome.lines()
    assert account
    assert len({fault.pid for fault in account.faults}) == rounds
    seen = [fault for fault in account.faults if fault.fsync_pending is not None]
    assert len(seen) > rounds / 2  # a machine with much else to do may answer too late
    assert account.fates[Fate.PROCESSED] > rounds * LEAST_LOAD * RATE / 2


SLOW_FSYNC = 900
"""Milliseconds. A kill then meets an fsync nearly always, and the window is still 2 s."""


@pytest.mark.tier("redis-server")
@pytest.mark.tier("compiler")
def test_on_a_slow_disk_a_kill_costs_no_more_than_the_window(tmp_path, tell):
    redis = shutil.which("redis-server")
    assert redis is not None
    slow = slow_disk.library(tmp_path, "fdatasync", SLOW_FSYNC)
    server = program(tmp_path / "slow-server", f'LD_PRELOAD="{slow}" exec "{redis}" "$@"')
    with running("--server", server, "--drills", "--data", str(tmp_path / "data")) as up:
        changes = kills(6, rate=100.0)
        outcome = wiring.drill("kill-9", changes, target=up.url, folder=tmp_path / "log")
    tell(outcome.lines())
    assert outcome.verdict is Verdict.PASS, outcome.lines()
    assert outcome.account
    lost = losses.losses(outcome.account)
    assert lost
    assert all(one.kill and one.kill.fsync_pending for one in lost)
    assert max(one.age for one in lost) <= outcome.timing.window == 2000
    assert outcome.account.duplicates[Cause.REPLAY] > 0


@pytest.mark.tier("embedded")
def test_without_the_append_only_file_one_kill_loses_and_the_ledger_names_each_job(tmp_path, tell):
    data = str(tmp_path / "data")
    with running("--server", "embedded", "--drills", "--data", data) as up:
        up.cli("config", "set", "appendonly", "no")
        outcome = wiring.drill("kill-9", kills(1), target=up.url, folder=tmp_path / "log")
    tell(outcome.lines())
    assert outcome.account
    lost = outcome.account.of(Fate.LOST)
    assert outcome.verdict is Verdict.FAIL
    # a client on a busy machine may read its reply when the next server serves: a reason of its own
    told_of = [int(one.split()[0]) for one in outcome.reasons if " LOST " in one]
    assert sum(told_of) == len(lost)
    assert all(f"LOST          {one.uuid}" in "\n".join(outcome.lines()) for one in lost[:10])
    told = ledger_log.read(tmp_path / "log").events
    (kill,) = (event.at for event in told if isinstance(event, Killed))
    promised = {event.uuid for event in told if isinstance(event, Acknowledged) and event.at < kill}
    done = {event.uuid for event in told if isinstance(event, Done)}
    names = {one.uuid for one in lost}
    assert set() < promised - done <= names
    assert not names & done


@pytest.mark.tier("embedded")
def test_a_second_drill_on_the_same_server_counts_its_own_jobs_alone(tmp_path):
    data = str(tmp_path / "data")
    with running("--server", "embedded", "--drills", "--data", data) as up:
        outcomes = [wiring.drill("kill-9", kills(1), target=up.url) for _time in range(2)]
    assert [outcome.verdict for outcome in outcomes] == [Verdict.PASS, Verdict.PASS]


@pytest.mark.tier("embedded")
def test_an_up_that_is_not_marked_for_drills_is_not_killed(tmp_path):
    with running("--server", "embedded", "--data", str(tmp_path / "data")) as up:
        with pytest.raises(DrillError) as refused:
            wiring.drill("kill-9", kills(1), target=up.url)
        assert up.cli("ping").strip() == "PONG"
    assert refused.value.code == "drill.not_marked"


@pytest.mark.tier("embedded")
def test_a_server_that_no_up_runs_is_not_killed(tmp_path):
    with start_server(tmp_path / "data") as server:
        with pytest.raises(DrillError) as refused:
            wiring.drill("kill-9", kills(1), target=f"redis://{LOOPBACK}:{server.port}")
        assert server.call("PING") == b"PONG"
    assert refused.value.code == "drill.not_ours"
