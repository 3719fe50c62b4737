"""`sturdis drill` on a deployment in a cluster: what comes with Sturdis, as it is typed."""

import json
import re

import pytest

from sturdis.adapters.drill_cluster import marks
from tests.cluster import deployments
from tests.cluster.drills.faulty import NAMESPACE, Faulty, faulty, marked_node
from tests.cluster.drills.scenes import drill, left, passes, where
from tests.cluster.machine.places import HOOKS, LIMITED
from tests.integration.running import error_code, sturdis


@pytest.fixture(scope="module")
def redis(cluster, tmp_path_factory):
    """Give a deployment that drills break one after the other."""
    with faulty(cluster, tmp_path_factory.mktemp("drills")) as found:
        yield found


def test_what_a_cluster_can_never_do_is_told_with_the_drills(redis):
    def lacks():
        listed = sturdis("drill", "list", "--json", *where(redis), "--hooks", str(HOOKS))
        return {one["name"]: one["lacking"] for one in json.loads(listed.stdout)["drills"]}

    (why,) = lacks()["node-crash"]
    assert re.search(r"label node \S+ sturdis/drills=allowed", why)
    with marked_node(redis):
        lacking = lacks()
    for name in ("pod-delete", "kill-9", "memory-full", "node-crash", "partition"):
        assert lacking[name] == []
    for name in ("power-cut", "stop", "kill-9-rewrite"):
        assert lacking[name][-1].endswith("this kind of target never has it")


def test_a_deleted_pod_costs_no_acknowledged_job(redis, tell):
    before = redis.uid()
    drilled = drill(redis, "pod-delete")
    passes(drilled)
    assert (redis.uid() != before, left(redis)) == (True, [])
    tell(drilled.line("pod-delete"))


@pytest.mark.usefixtures("machine")
def test_a_killed_server_costs_no_acknowledged_job(redis, tell):
    before = redis.status()["restartCount"]
    drilled = drill(redis, "kill-9", "--rounds", "1")
    passes(drilled)
    assert redis.status()["restartCount"] == before + drilled.run["figures"]["kills"] == before + 1
    assert left(redis) == []
    tell(drilled.line("kill-9"))


@pytest.mark.usefixtures("machine")
def test_a_partition_costs_no_acknowledged_job_and_replaces_nothing(redis, tell):
    before = redis.uid(), redis.status()["containerID"]
    drilled = drill(redis, "partition")
    passes(drilled)
    assert (redis.uid(), redis.status()["containerID"]) == before
    tell(drilled.line("partition"))


def test_full_memory_refuses_adds_until_completed_jobs_are_cleaned(redis, tell):
    limit = redis.says("CONFIG", "GET", "maxmemory")
    drilled = drill(redis, "memory-full", "--rounds", "1")
    passes(drilled)
    assert drilled.run["figures"]["restarts"] == 0
    assert redis.says("CONFIG", "GET", "maxmemory") == limit
    tell(drilled.line("memory-full"))


def test_what_needs_hands_on_the_node_is_unknown_without_hooks(redis):
    before = redis.uid(), redis.status()["containerID"]
    for name in ("kill-9", "partition", "node-crash"):
        lacking = drill(redis, name, hooks=False)
        assert (lacking.status, lacking.run["verdict"]) == (3, "unknown")
        assert "in the file of --hooks" in lacking.run["reasons"][0]["what"]
    assert (redis.uid(), redis.status()["containerID"], left(redis)) == (*before, [])


def test_with_a_password_a_deleted_pod_costs_no_acknowledged_job_either(cluster, tmp_path, tell):
    with faulty(cluster, tmp_path, password=True) as redis:
        drilled = drill(redis, "pod-delete")
        passes(drilled)
        untouched(redis)
    tell(drilled.line("pod-delete, with a password"))


def untouched(redis: Faulty) -> None:
    """Nothing is touched that is not marked, or where a right is missing."""
    before, cluster = redis.uid(), redis.deployed.cluster
    deployments.grant(cluster, NAMESPACE, LIMITED, {"pods": ["get"], "namespaces": ["get"]})
    few = drill(redis, "pod-delete", context=LIMITED)
    assert (few.status, few.run["verdict"]) == (3, "unknown")
    assert "may not" in few.run["reasons"][0]["what"]
    cluster.kubectl("label", "namespace", NAMESPACE, f"{marks.LABEL}-")
    for words in (("run", "pod-delete"), ("list",)):
        refused = sturdis("drill", *words, *where(redis))
        assert (refused.returncode, error_code(refused)) == (16, "drill.not_marked")
        assert f"label namespace {NAMESPACE} sturdis/drills=allowed" in refused.stderr
    assert (redis.uid(), left(redis)) == (before, [])
