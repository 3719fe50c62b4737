"""kill -9 of the server under load, again and again: what was acknowledged is there."""

from pathlib import Path

import pytest

from sturdis import wiring
from sturdis.core.drill.kill9 import Kill9
from sturdis.core.drill.ledger import Fate
from sturdis.core.drill.verdict import Timing
from sturdis.core.report import Verdict
from tests import tiers
from tests.integration.running import SERVERS, running

SHORTENED = Timing(lock_duration=2000, stalled_interval=1000)
"""BullMQ's own 30 s and 30 s would make the last verdict wait for 90 s."""

DRILL = Kill9(rounds=20, seed=9, least_load=1.0, most_load=1.6, timing=SHORTENED)


def modules() -> Path | None:
    """Where the Node BullMQ is; None where it is missing: Python then makes all of the load."""
    return None if tiers.missing("node") else tiers.ROOT / "examples/bullmq"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("server", SERVERS)
def test_twenty_kills_under_load_lose_no_acknowledged_job(server, tmp_path, tell):
    with running("--server", server, "--data", str(tmp_path / "data")) as up:
        record = wiring.kill9(DRILL, tmp_path / "log", up.url, modules=modules())
    tell(record.lines())
    assert record.judgement.verdict is Verdict.PASS, record.lines()
    assert len({fault.pid for fault in record.account.faults}) == DRILL.rounds
    assert all(fault.delayed_fsyncs is not None for fault in record.account.faults)
    assert record.account.fates[Fate.PROCESSED] > DRILL.rounds * DRILL.least_load * DRILL.rate / 2


@pytest.mark.tier("embedded")
def test_without_the_append_only_file_one_kill_loses_and_the_ledger_names_each_job(tmp_path, tell):
    with running("--server", "embedded", "--data", str(tmp_path / "data")) as up:
        up.cli("config", "set", "appendonly", "no")
        drill = Kill9(rounds=1, seed=9, timing=SHORTENED)
        record = wiring.kill9(drill, tmp_path / "log", up.url, modules=modules())
    tell(record.lines())
    lost = record.account.of(Fate.LOST)
    assert record.judgement.verdict is Verdict.FAIL
    assert record.judgement.reasons[0].startswith(f"{len(lost)} acknowledged jobs LOST")
    kill = record.account.faults[0].at
    promised = [one for one in record.account.entries if one.acknowledged_at < kill]
    undone = [one for one in promised if one.fate is not Fate.PROCESSED]
    assert {one.uuid for one in undone} == {one.uuid for one in lost} != set()
    assert all(f"LOST          {one.uuid}" in "\n".join(record.lines()) for one in lost[:10])
