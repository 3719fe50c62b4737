"""kill -9 of the server under load, again and again: what was acknowledged is there."""

import shutil
from pathlib import Path

import pytest

from sturdis import wiring
from sturdis.adapters.drill import ledger_log
from sturdis.core.drill import verdict
from sturdis.core.drill.duplicates import Cause
from sturdis.core.drill.events import Acknowledged, Done, Killed
from sturdis.core.drill.kill9 import Kill9
from sturdis.core.drill.ledger import Fate
from sturdis.core.drill.verdict import Timing
from sturdis.core.errors import DrillError
from sturdis.core.report import Verdict
from tests import slow_disk, tiers
from tests.integration.running import SERVERS, program, running
from tests.integration.servers import LOOPBACK, start_server

SHORTENED = Timing(lock_duration=2000, stalled_interval=1000)
"""BullMQ's own 30 s and 30 s would make the last verdict wait for 90 s."""

ROUNDS = tuple(
    pytest.param(*row.values, rounds, id=f"{row.id}-{rounds}-rounds", marks=row.marks)
    for row, rounds in zip(SERVERS, (20, 8, 8, 20), strict=True)
)
"""Twenty on the oldest and the newest server of the matrix; fewer between, to save time."""


def modules() -> Path | None:
    """Where the Node BullMQ is; None where it is missing: Python then makes all of the load."""
    return None if tiers.missing("node") else tiers.ROOT / "examples/bullmq"


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("server", "rounds"), ROUNDS)
def test_kills_under_load_lose_no_acknowledged_job(server, rounds, tmp_path, tell):
    drill = Kill9(rounds=rounds, seed=9, most_load=1.8, rate=50.0, timing=SHORTENED)
    with running("--server", server, "--data", str(tmp_path / "data")) as up:
        record = wiring.kill9(drill, tmp_path / "log", up.url, modules=modules())
    tell(record.lines())
    assert record.judgement.verdict is Verdict.PASS, record.lines()
    assert len({fault.pid for fault in record.account.faults}) == rounds
    seen = [fault for fault in record.account.faults if fault.fsync_pending is not None]
    assert len(seen) > rounds / 2  # a machine with much else to do may answer too late
    assert record.account.fates[Fate.PROCESSED] > rounds * drill.least_load * drill.rate / 2


SLOW_FSYNC = 1500
"""Milliseconds. Below the 2 s after which a server counts an fsync as delayed."""


@pytest.mark.tier("redis-server")
@pytest.mark.tier("compiler")
def test_on_a_slow_disk_a_kill_costs_no_more_than_the_window(tmp_path, tell):
    redis = shutil.which("redis-server")
    assert redis is not None
    timing = Timing(2000, 1000, longest_fsync=SLOW_FSYNC)
    drill = Kill9(rounds=6, seed=9, most_load=1.8, timing=timing)
    slow = slow_disk.library(tmp_path, "fdatasync", SLOW_FSYNC)
    server = program(tmp_path / "slow-server", f'LD_PRELOAD="{slow}" exec "{redis}" "$@"')
    with running("--server", server, "--data", str(tmp_path / "data")) as up:
        record = wiring.kill9(drill, tmp_path / "log", up.url, modules=modules())
    tell(record.lines())
    lost = verdict.losses(record.account)
    assert record.judgement.verdict is Verdict.PASS, record.lines()
    assert lost
    assert all(one.kill and one.kill.fsync_pending for one in lost)
    assert max(one.age for one in lost) <= timing.window == 2500
    assert record.account.duplicates[Cause.REPLAY] > 0


@pytest.mark.tier("embedded")
def test_without_the_append_only_file_one_kill_loses_and_the_ledger_names_each_job(tmp_path, tell):
    with running("--server", "embedded", "--data", str(tmp_path / "data")) as up:
        up.cli("config", "set", "appendonly", "no")
        drill = Kill9(rounds=1, seed=9, timing=SHORTENED)
        record = wiring.kill9(drill, tmp_path / "log", up.url, modules=modules())
    tell(record.lines())
    lost = record.account.of(Fate.LOST)
    assert record.judgement.verdict is Verdict.FAIL
    # a client on a busy machine may read its reply when the next server serves: a reason of its own
    told_of = [int(one.split()[0]) for one in record.judgement.reasons if " LOST " in one]
    assert sum(told_of) == len(lost)
    assert all(f"LOST          {one.uuid}" in "\n".join(record.lines()) for one in lost[:10])
    told = ledger_log.read(tmp_path / "log").events
    (kill,) = (event.at for event in told if isinstance(event, Killed))
    promised = {event.uuid for event in told if isinstance(event, Acknowledged) and event.at < kill}
    done = {event.uuid for event in told if isinstance(event, Done)}
    names = {one.uuid for one in lost}
    assert set() < promised - done <= names
    assert not names & done


@pytest.mark.tier("embedded")
def test_a_second_drill_on_the_same_server_counts_its_own_jobs_alone(tmp_path):
    drill = Kill9(rounds=1, most_load=1.2, timing=Timing(1000, 500))
    with running("--server", "embedded", "--data", str(tmp_path / "data")) as up:
        records = [wiring.kill9(drill, tmp_path / name, up.url) for name in ("one", "two")]
    assert [record.judgement.verdict for record in records] == [Verdict.PASS, Verdict.PASS]


@pytest.mark.tier("embedded")
def test_a_server_that_no_up_runs_is_not_killed(tmp_path):
    with start_server(tmp_path / "data") as server:
        with pytest.raises(DrillError) as refused:
            wiring.kill9(Kill9(), tmp_path / "log", f"redis://{LOOPBACK}:{server.port}")
        assert server.call("PING") == b"PONG"
    assert refused.value.code == "drill.not_ours"
