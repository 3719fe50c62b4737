"""`verify --restart` under BullMQ's load: the pod that it deletes costs no acknowledged job."""

import json

from sturdis.core.drill.ledger import Fate
from sturdis.core.report import Verdict
from tests.cluster.drills.faulty import faulty
from tests.cluster.drills.scenes import Scene

CHECK = "persistence.restart"


def test_verify_with_restart_leaves_a_running_ledger_as_it_is(cluster, clients, tmp_path, tell):
    with faulty(cluster, tmp_path) as redis, Scene(clients, redis) as scene:
        scene.under_load()
        before = redis.uid()
        with scene.fault():
            answer = redis.deployed.sturdis("verify", "--restart", "--yes", "--json")
        scene.under_load()
        cost = scene.conclude()
        assert redis.uid() != before
    tell(cost.line("verify --restart"))
    checks = {one["id"]: one for one in json.loads(answer.stdout)["checks"]}
    assert checks[CHECK]["verdict"] == "pass", checks[CHECK]
    assert "still there" in checks[CHECK]["seen"]
    assert cost.record.judgement.verdict is Verdict.PASS, cost.record.lines()
    assert cost.lost == 0
    assert cost.record.account.fates[Fate.PROCESSED] == cost.acknowledged > 0
