"""What faults cost BullMQ's clients in other pods that no drill of ours injects so: nothing."""

import re

import msgspec
import pytest

from sturdis.adapters.drill_cluster.deployment import BrokenDeployment
from sturdis.adapters.faults.full_memory import clean
from sturdis.core.drill.events import Acknowledged, Done, Rejected
from sturdis.core.drill.ledger import Fate
from sturdis.core.drill.load import Kind
from sturdis.core.drill.run import QUEUES, Run
from sturdis.core.report import Verdict
from tests.cluster.drills.faulty import TornAndKilled, faulty, now
from tests.cluster.drills.scenes import (
    LOAD,
    SCENARIO,
    Act,
    act,
    first,
    holds,
    line,
    told,
    under_load,
)
from tests.integration.servers import wait_until

FILLING = 100_000
"""Bytes of a job that fills the memory: the limit is met in seconds."""
REFUSED = 20
WORKED_OFF = 20
"""Jobs done while adds are refused. Not all: who finishes a job is given the next one, but a worker
that has none is refused one."""


@pytest.fixture(scope="module")
def redis(cluster, tmp_path_factory):
    """Give a deployment that stays whole, one fault after the other."""
    with faulty(cluster, tmp_path_factory.mktemp("faults")) as found:
        yield found


@pytest.mark.usefixtures("machine")
def test_kill_9_under_a_torn_transaction_costs_no_acknowledged_job(redis, tmp_path, tell):
    twice = msgspec.structs.replace(SCENARIO, rounds=2, observe=0.0)
    before, mended = redis.status()["restartCount"], []

    class Noted(TornAndKilled):
        def undo(self, number, seconds):
            served = super().undo(number, seconds)
            mended.extend(re.findall(r"^mended: cut \d+ bytes .*", redis.log(), re.MULTILINE))
            return served

    outcome = under_load(redis, tmp_path, lambda _on, _run: Noted(redis), twice)
    assert redis.status()["restartCount"] - before == len(mended) == 2
    tell(line("kill -9 with a torn transaction, twice", outcome))
    holds(outcome)


def test_a_changed_configuration_costs_no_acknowledged_job(redis, tmp_path, tell):
    before = redis.uid()
    always = "persistence: {fsync: always}\n"
    outcome = under_load(redis, tmp_path, act(lambda: redis.apply(always)))
    assert redis.uid() != before
    assert redis.says("CONFIG", "GET", "appendfsync").split() == ["appendfsync", "always"]
    tell(line("configuration roll", outcome))
    holds(outcome)


def test_what_a_fault_does_lose_is_counted(redis, tmp_path, tell):
    delayed = msgspec.structs.replace(LOAD, longest_delay=5000)
    scenario = msgspec.structs.replace(SCENARIO, load=delayed)
    outcome = under_load(redis, tmp_path, act(lambda: redis.says("FLUSHALL")), scenario)
    tell(line("FLUSHALL, which no promise covers", outcome))
    assert outcome.account
    fates = outcome.account.fates
    assert outcome.verdict is Verdict.FAIL
    assert fates[Fate.LOST] > 0
    assert fates[Fate.LOST] + fates[Fate.PROCESSED] == len(outcome.account.entries)


# Last: it takes the namespace of the shared deployment.
def test_memory_that_is_really_full_is_worked_off_and_no_container_is_killed(
    cluster, tmp_path, tell
):
    kinds = (Kind.PLAIN, Kind.FLOW)
    heavy = msgspec.structs.replace(LOAD, filling=FILLING, work=200, jobs_at_once=3, mix=kinds)
    # The load fills it by itself, maybe while it gets steady.
    filling = msgspec.structs.replace(SCENARIO, load=heavy, under_load=(0.0, 0.0), observe=0.0)

    def fill(on: BrokenDeployment, run: Run) -> Act:
        def filled() -> None:
            wait_until(lambda: told(run, Rejected) >= REFUSED, "adds are refused", seconds=120)
            full = first(run, Rejected)
            wait_until(lambda: told(run, Done, full) >= WORKED_OFF, "jobs are done", seconds=90)
            cleaned = now()
            clean(on.address, [(run.prefix, name) for name in QUEUES])
            wait_until(lambda: told(run, Acknowledged, cleaned) > 0, "adds go on", seconds=90)

        return Act(filled)

    with faulty(cluster, tmp_path, "memory: {limit: 64Mi}\n") as redis:
        outcome = under_load(redis, tmp_path, fill, filling)
        status = redis.status()
    tell(line("memory full", outcome))
    assert (outcome.figures["refused"] or 0) >= REFUSED
    assert (status["restartCount"], status["lastState"]) == (0, {})
    holds(outcome)
