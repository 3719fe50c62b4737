"""What changes by people cost BullMQ's clients in other pods: nothing that was acknowledged."""

import pytest

from tests.cluster.drills.faulty import faulty
from tests.cluster.drills.scenes import Scene
from tests.cluster.drills.test_faults import holds

REDIS_7 = 'engine: {image: "redis:7.0.15"}\n'
REDIS_8 = 'engine: {image: "redis:8.0.2"}\n'
VALKEY = 'engine: {kind: valkey, image: "valkey/valkey:9.1.2"}\n'


@pytest.mark.parametrize("to", [REDIS_8, VALKEY], ids=["redis-8.0", "valkey-9.1"])
def test_an_upgrade_of_the_server_costs_no_acknowledged_job(to, cluster, clients, tmp_path, tell):
    with (
        faulty(cluster, tmp_path, REDIS_7) as redis,
        Scene(clients, redis) as scene,
    ):
        scene.under_load()
        before = redis.uid()
        with scene.fault():
            redis.apply(to)
        scene.under_load()
        cost = scene.conclude()
        assert redis.uid() != before
        version = redis.says("INFO", "server")
        assert "redis_version:7.0.15" not in version
    tell(cost.line(f"upgrade of Redis 7.0.15 to {'Valkey 9.1.2' if to == VALKEY else '8.0.2'}"))
    holds(cost)


def test_a_volume_that_grows_costs_no_acknowledged_job(cluster, clients, tmp_path, tell):
    with (
        faulty(cluster, tmp_path) as redis,
        Scene(clients, redis) as scene,
    ):
        scene.under_load()
        before = redis.uid(), redis.status()["containerID"]
        with redis.deployed.file.open("a") as spec:
            spec.write("storage: {size: 12Gi}\n")
        with scene.fault():
            grown = redis.deployed.sturdis("grow", "--yes")
        assert grown.returncode == 0, grown.stderr
        scene.under_load()
        cost = scene.conclude()
        assert (redis.uid(), redis.status()["containerID"]) == before
        claim = redis.deployed.get("pvc", "data-redis-0")
        assert claim["status"]["capacity"]["storage"] == "12Gi"
    tell(cost.line("volume grown"))
    holds(cost)
