"""What each fault costs BullMQ's clients in other pods: nothing that was acknowledged."""

import re

import pytest

from sturdis.core.drill.events import Acknowledged, Done, Rejected
from sturdis.core.drill.kill9 import QUEUES
from sturdis.core.drill.ledger import Fate
from sturdis.core.drill.load import Kind
from sturdis.core.report import Verdict
from tests.cluster.drills.faulty import faulty, now
from tests.cluster.drills.load_pods import LoadPods
from tests.cluster.drills.scenes import Cost, Scene

FILLING = 100_000
"""Bytes of a job that fills the memory: the limit is met in seconds."""
REFUSED = 20
WORKED_OFF = 50
"""Jobs done while adds are refused. Not all: who finishes a job is given the next one, but a worker
that has none is refused one."""


def holds(cost: Cost) -> None:
    """Nothing acknowledged was lost, and each job was done."""
    record = cost.record
    assert record.judgement.verdict is Verdict.PASS, record.lines()
    assert record.account.fates[Fate.PROCESSED] == cost.acknowledged


@pytest.mark.parametrize("password", [False, True], ids=["open", "password"])
def test_a_deleted_pod_costs_no_acknowledged_job(password, cluster, clients, tmp_path, tell):
    with (
        faulty(cluster, tmp_path, password=password) as redis,
        Scene(clients, redis) as scene,
    ):
        scene.under_load()
        before = redis.uid()
        with scene.fault():
            redis.delete_pod()
        scene.under_load()
        cost = scene.conclude()
        assert redis.uid() != before
    tell(cost.line(f"pod delete{', with a password' if password else ''}"))
    holds(cost)


@pytest.mark.usefixtures("machine")
def test_kill_9_under_a_torn_transaction_costs_no_acknowledged_job(
    cluster, clients, tmp_path, tell
):
    with (
        faulty(cluster, tmp_path) as redis,
        Scene(clients, redis) as scene,
    ):
        mended = []
        for number in (1, 2):
            scene.under_load()
            scene.kill(number)
            mended += re.findall(r"^mended: cut \d+ bytes .*", redis.log(), re.MULTILINE)
        scene.under_load()
        cost = scene.conclude()
        assert redis.status()["restartCount"] == len(mended) == 2
    tell(cost.line("kill -9, twice"))
    holds(cost)


def test_full_memory_refuses_adds_and_is_worked_off_and_no_container_is_killed(
    cluster, clients, tmp_path, tell
):
    heavy = {"filling": FILLING, "work": 200, "jobs_at_once": 3, "mix": (Kind.PLAIN, Kind.FLOW)}
    with (
        faulty(cluster, tmp_path, "memory: {limit: 64Mi}\n") as redis,
        Scene(clients, redis, **heavy) as scene,
    ):
        told = scene.loads.followed
        told.wait_for(Rejected, 1)
        with scene.fault():
            told.wait_for(Rejected, REFUSED)
            told.wait_for(Done, WORKED_OFF, since=now())
            cleaned = clean(clients, scene)
            told.wait_for(Acknowledged, 1, since=cleaned)
        cost = scene.conclude()
        status = redis.status()
    tell(cost.line("memory full"))
    assert cost.record.account.unpromised.rejected >= REFUSED
    assert (status["restartCount"], status["lastState"]) == (0, {})
    holds(cost)


def clean(clients: LoadPods, scene: Scene) -> int:
    """Remove completed jobs with BullMQ, as its users do; give when, in milliseconds since 1970."""
    host, prefix = scene.on.address.host, scene.drill.prefix
    script = f"""
        const {{Queue}} = require('/app/node_modules/bullmq');
        const options = {{prefix: '{prefix}', connection: {{host: '{host}'}}}};
        const queues = {list(QUEUES)}.map((name) => new Queue(name, options));
        Promise.all(queues.map((queue) => queue.clean(0, 0, 'completed'))).then(() => {{
          console.log(Date.now());
          process.exit();
        }});
    """
    return int(clients.run("node", "node", "-e", script))


def test_a_changed_configuration_costs_no_acknowledged_job(cluster, clients, tmp_path, tell):
    with (
        faulty(cluster, tmp_path) as redis,
        Scene(clients, redis) as scene,
    ):
        scene.under_load()
        before = redis.uid()
        with scene.fault():
            redis.apply("persistence: {fsync: always}\n")
        scene.under_load()
        cost = scene.conclude()
        assert redis.uid() != before
        assert redis.says("CONFIG", "GET", "appendfsync").split() == ["appendfsync", "always"]
    tell(cost.line("configuration roll"))
    holds(cost)


def test_what_a_fault_does_lose_is_counted(cluster, clients, tmp_path, tell):
    with (
        faulty(cluster, tmp_path) as redis,
        Scene(clients, redis, longest_delay=5000) as scene,
    ):
        scene.under_load()
        with scene.fault():
            redis.says("FLUSHALL")
        scene.under_load()
        cost = scene.conclude()
    tell(cost.line("FLUSHALL, which no promise covers"))
    assert cost.record.judgement.verdict is Verdict.FAIL
    assert cost.lost > 0
    assert cost.lost + cost.record.account.fates[Fate.PROCESSED] == cost.acknowledged
