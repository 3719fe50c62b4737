"""What changes by people cost BullMQ's clients in other pods: nothing that was acknowledged."""

import json

import pytest

from tests.cluster.drills.faulty import faulty
from tests.cluster.drills.scenes import act, holds, line, under_load

REDIS_7 = 'engine: {image: "redis:7.0.15"}\n'
REDIS_8 = 'engine: {image: "redis:8.0.2"}\n'
VALKEY = 'engine: {kind: valkey, image: "valkey/valkey:9.1.2"}\n'


@pytest.mark.parametrize("to", [REDIS_8, VALKEY], ids=["redis-8.0", "valkey-9.1"])
def test_an_upgrade_of_the_server_costs_no_acknowledged_job(to, cluster, tmp_path, tell):
    with faulty(cluster, tmp_path, REDIS_7) as redis:
        before = redis.uid()
        outcome = under_load(redis, tmp_path, act(lambda: redis.apply(to)))
        assert redis.uid() != before
        assert "redis_version:7.0.15" not in redis.says("INFO", "server")
    to_what = "Valkey 9.1.2" if to == VALKEY else "8.0.2"
    tell(line(f"upgrade of Redis 7.0.15 to {to_what}", outcome))
    holds(outcome)


# Once the upgrades have left the namespace.
@pytest.fixture(scope="module")
def redis(cluster, tmp_path_factory):
    """Give a deployment that is changed twice."""
    with faulty(cluster, tmp_path_factory.mktemp("changes")) as found:
        yield found


def test_a_volume_that_grows_costs_no_acknowledged_job(redis, tmp_path, tell):
    before = redis.uid(), redis.status()["containerID"]

    def grow() -> None:
        with redis.deployed.file.open("a") as spec:
            spec.write("storage: {size: 12Gi}\n")
        grown = redis.deployed.sturdis("grow", "--yes")
        assert grown.returncode == 0, grown.stderr

    outcome = under_load(redis, tmp_path, act(grow))
    assert (redis.uid(), redis.status()["containerID"]) == before
    claim = redis.deployed.get("pvc", "data-redis-0")
    assert claim["status"]["capacity"]["storage"] == "12Gi"
    tell(line("volume grown", outcome))
    holds(outcome)


def test_verify_with_restart_leaves_a_running_ledger_as_it_is(redis, tmp_path, tell):
    answers, before = [], redis.uid()

    def verify() -> None:
        answers.append(redis.deployed.sturdis("verify", "--restart", "--yes", "--json"))

    outcome = under_load(redis, tmp_path, act(verify))
    assert redis.uid() != before
    tell(line("verify --restart", outcome))
    checks = {one["id"]: one for one in json.loads(answers[0].stdout)["checks"]}
    restart = checks["persistence.restart"]
    assert restart["verdict"] == "pass", restart
    assert "still there" in restart["seen"]
    holds(outcome)
