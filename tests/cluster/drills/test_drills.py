"""`sturdis drill` on a deployment in a cluster: what comes with Sturdis, as it is typed."""

import json

import pytest

from sturdis.adapters.drill_cluster import marks
from tests.cluster import deployments
from tests.cluster.drills.faulty import NAMESPACE, faulty
from tests.cluster.drills.scenes import drill, passes
from tests.cluster.machine.places import LIMITED
from tests.integration.running import error_code, sturdis


def left(redis) -> list[str]:
    """Give what a drill has left in the namespace."""
    listed = redis.deployed.kubectl("get", "pods,configmaps", "--output=name").split()
    return [one for one in listed if "-drill-" in one]


@pytest.mark.parametrize("password", [False, True], ids=["open", "password"])
def test_a_deleted_pod_costs_no_acknowledged_job(password, cluster, tmp_path, tell):
    with faulty(cluster, tmp_path, password=password) as redis:
        before = redis.uid()
        drilled = drill(redis, "pod-delete")
        assert redis.uid() != before
        passes(drilled)
        assert left(redis) == []
    tell(drilled.line(f"pod-delete{', with a password' if password else ''}"))


@pytest.mark.usefixtures("machine")
def test_what_needs_hands_on_the_node_passes_with_hooks_and_is_unknown_without(
    cluster, tmp_path, tell
):
    with faulty(cluster, tmp_path) as redis:
        uid = redis.uid()
        for name in ("kill-9", "partition"):
            lacking = drill(redis, name, hooks=False)
            assert (lacking.status, lacking.run["verdict"]) == (3, "unknown")
            assert "in the file of --hooks" in lacking.run["reasons"][0]["what"]
        killed = drill(redis, "kill-9", "--rounds", "1")
        assert redis.status()["restartCount"] == 1
        parted = drill(redis, "partition")
        for drilled in (killed, parted):
            passes(drilled)
            tell(drilled.line(drilled.run["drill"]))
        assert killed.run["figures"]["kills"] == 1
        assert (redis.uid(), redis.status()["restartCount"]) == (uid, 1)
        assert left(redis) == []


def test_full_memory_refuses_adds_until_completed_jobs_are_cleaned(cluster, tmp_path, tell):
    with faulty(cluster, tmp_path) as redis:
        limit = redis.says("CONFIG", "GET", "maxmemory")
        drilled = drill(redis, "memory-full", "--rounds", "1")
        passes(drilled)
        assert redis.says("CONFIG", "GET", "maxmemory") == limit
        assert drilled.run["figures"]["restarts"] == 0
    tell(drilled.line("memory-full"))


def test_nothing_is_touched_that_is_not_marked_or_not_allowed(cluster, tmp_path):
    with faulty(cluster, tmp_path) as redis:
        before = redis.uid()
        rights = {"pods": ["get"], "namespaces": ["get"]}
        deployments.grant(cluster, NAMESPACE, LIMITED, rights)
        few = drill(redis, "pod-delete", context=LIMITED)
        assert (few.status, few.run["verdict"]) == (3, "unknown")
        assert "may not" in few.run["reasons"][0]["what"]
        cluster.kubectl("label", "namespace", NAMESPACE, f"{marks.LABEL}-")
        for words in (("run", "pod-delete"), ("list",)):
            spec = ("--context", cluster.context, "--spec", str(redis.deployed.file))
            refused = sturdis("drill", *words, *spec)
            assert (refused.returncode, error_code(refused)) == (16, "drill.not_marked")
            assert f"label namespace {NAMESPACE} sturdis/drills=allowed" in refused.stderr
        assert (redis.uid(), left(redis)) == (before, [])


def test_a_drill_lists_what_a_cluster_can_never_do(cluster, tmp_path):
    with faulty(cluster, tmp_path) as redis:
        spec = ("--context", cluster.context, "--spec", str(redis.deployed.file))
        listed = sturdis("drill", "list", "--json", *spec)
    lacking = {one["drill"]: one["lacking"] for one in json.loads(listed.stdout)["drills"]}
    assert lacking["pod-delete"] == []
    assert "kind of target never" in lacking["power-cut"][0]
