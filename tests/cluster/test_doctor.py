"""`doctor --context`: each thing that goes wrong with a server that runs, made for real."""

import json
import secrets
from collections.abc import Iterator

import pytest

from tests.cluster import deployments
from tests.cluster.clusters import Cluster
from tests.cluster.deployments import POD, SECRET, Deployed
from tests.cluster.diagnosed import Diagnosed, doctor, redis, restarted, scale, small_disk, volume
from tests.cluster.machine.places import LIMITED
from tests.integration.running import error_code, sturdis

FILL = "for i = 1, ARGV[1] do redis.call('set', i, string.rep('x', ARGV[2])) end"

UNTIL_REFUSED = "until redis-cli append big $(printf %09999d 0) | grep -q MISCONF; do :; done"

IDLE = """
for _ in $(seq 22); do redis-cli blpop none 0 > /dev/null 2>&1 & done
while :; do
  told=$(redis-cli client list 2>&1)
  case $told in *'max number of clients'*) break ;; esac
  [ "$(printf '%s' "$told" | grep -c cmd=blpop)" -lt 22 ] || break
done
"""
"""Holds connections, and ends when they are there, or one more is turned away."""


@pytest.fixture(scope="module")
def running(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Give one deployment without a password for all; who changes it puts it right again."""
    with deployments.deployed(cluster, tmp_path_factory.mktemp("running")) as found:
        yield found


@pytest.fixture
def changed(running: Deployed) -> Iterator[Deployed]:
    """Give the same, to change: a new pod of it is there afterwards."""
    yield running
    running.kubectl("delete", "pod", POD)
    running.apply()
    running.cluster.wait_ready(running.namespace, POD)
    redis(running, "flushall")


def filled(deployed: Deployed, count: int, size: int) -> None:
    redis(deployed, "eval", FILL, "0", str(count), str(size))


def test_nothing_is_wrong_with_a_healthy_deployment(running):
    found = doctor(running)
    assert (found.ids, found.unseen) == (set(), ()), found.told
    answer = running.sturdis("doctor")
    assert answer.stdout.startswith(f"pod/{POD} in namespace {running.namespace} of ")
    assert answer.stdout.endswith("nothing is wrong\n") or "aof.slow_disk" in answer.stdout


def test_what_was_set_by_hand_is_named_with_the_command_that_undoes_it(changed):
    redis(changed, "config", "set", "maxmemory-policy", "allkeys-lru", "timeout", "600")
    redis(changed, "config", "set", "appendonly", "no")
    found = doctor(changed)
    assert found.ids == {"policy.changed", "settings.changed", "aof.off"}
    assert "maxmemory-policy allkeys-lru" in found.find("policy.changed")["seen"]
    assert "timeout 600, not 0" in found.find("settings.changed")["seen"]
    for name, what in (("policy.changed", "maxmemory-policy noeviction"), ("aof.off", "yes")):
        assert found.find(name)["do"].endswith(what)
    # What is told to be typed mends it.
    for one in found.findings:
        if one["id"] != "aof.slow_disk":
            done = sturdis(*one["do"].split()[1:])
            assert done.returncode == 0, one["do"] + done.stderr
    assert doctor(changed).ids == set()


def test_evicted_keys_are_counted_though_the_policy_is_right_again(changed):
    redis(changed, "config", "set", "maxmemory-policy", "allkeys-lru", "maxmemory", "5mb")
    filled(changed, 200, 100_000)
    redis(changed, "config", "set", "maxmemory-policy", "noeviction", "maxmemory", "80530636")
    found = doctor(changed).find("keys.evicted")
    assert found["severity"] == "critical"
    assert "evicted_keys 0" not in found["seen"]


def test_memory_at_its_limit_is_told_before_it_is_killed(changed):
    for number in range(15):  # a script's writes are held once more until they are on the disk
        redis(
            changed, "eval", FILL.replace("set', i", f"set', '{number}:' .. i"), "0", "50", "100000"
        )
    found = doctor(changed).find("memory.full")
    assert (found["severity"], "%" in found["seen"]) == ("critical", True)


@pytest.mark.parametrize(("limit", "told"), [(25, "of 25 connections"), (20, "max number of")])
def test_clients_at_the_limit_are_told_even_where_no_one_more_gets_in(changed, limit, told):
    redis(changed, "config", "set", "maxclients", str(limit))
    changed.kubectl("exec", POD, "-c", "redis", "--", "sh", "-c", IDLE)
    found = doctor(changed)
    assert found.status == 1
    assert told in found.find("clients.limit")["seen"]
    assert found.find("clients.limit")["severity"] == "critical"


def test_an_object_that_was_changed_by_hand_is_drift_and_one_that_leads_nowhere_is_worse(changed):
    patch = '{"spec": {"selector": {"app.kubernetes.io/name": "other"}}}'
    changed.kubectl("patch", "service/redis", "--type=merge", "-p", patch)
    found = doctor(changed)
    assert found.ids == {"service.broken", "drift"}
    assert found.findings[0]["severity"] == "critical", "the worst first"


def test_a_password_that_was_changed_under_the_server_is_told_and_not_shown(cluster, tmp_path):
    with deployments.deployed(cluster, tmp_path, password=True) as found:
        assert doctor(found).ids == set()
        word = secrets.token_hex(12)
        change = {"stringData": {"sturdis-password": word, "password": word}}
        file = tmp_path / "change.json"
        file.write_text(json.dumps(change))
        found.kubectl("patch", "secret", SECRET, "--type=merge", "--patch-file", str(file))
        answer = doctor(found)
        told = answer.find("password.changed")
        assert "password, sturdis-password" in told["seen"]
        assert "exporter-password" not in told["seen"]
        assert not [one for one in (*found.passwords, word) if one in answer.told]
        assert f"delete pod {POD}" in told["do"]
        found.kubectl("delete", "pod", POD)
        cluster.wait_ready(found.namespace, POD)
        assert doctor(found).ids == set()


@pytest.mark.usefixtures("machine")
def test_a_volume_that_fills_is_told_and_one_that_is_full_with_what_it_stops(cluster, tmp_path):
    with deployments.deployed(cluster, tmp_path) as found:
        scale(found, 0)
        assert doctor(found).ids == {"set.scaled_down"}
        with small_disk(volume(found), "40m"):
            scale(found, 1)
            filled(found, 340, 100_000)
            assert doctor(found).find("volume.filling")["severity"] == "serious"
            found.kubectl("exec", POD, "-c", "redis", "--", "sh", "-c", UNTIL_REFUSED)
            full = doctor(found)
            assert {"volume.filling", "aof.write"} <= full.ids
            assert full.find("volume.filling")["severity"] == "critical"
            scale(found, 0)


def test_a_container_that_was_killed_for_memory_is_told_when_it_serves_again(cluster, tmp_path):
    with deployments.deployed(cluster, tmp_path) as found:
        redis(found, "config", "set", "maxmemory", "0", "appendonly", "no")
        words = ("redis-cli", "eval", FILL, "0", "2000", "100000")
        killed = found.cluster.try_kubectl(
            "exec", "-n", found.namespace, POD, "-c", "redis", "--", *words
        )
        assert killed.returncode != 0
        restarted(found, 1)
        cluster.wait_ready(found.namespace, POD)
        told = doctor(found).find("memory.killed")
        assert told["severity"] == "serious"
        assert "memory limit 128Mi" in told["seen"]
        assert "maxmemory 80530636 B" in told["seen"]


@pytest.mark.usefixtures("machine")
def test_who_may_see_the_pod_alone_is_told_what_was_not_seen(running):
    deployments.grant(running.cluster, running.namespace, LIMITED, {"pods": ["get"]})
    found = doctor(running, context=LIMITED)
    assert found.ids == set()
    assert found.status == 3
    assert_unseen(found, "statefulset/redis", "list event", "pods/exec", "list node")


def assert_unseen(found: Diagnosed, *words: str) -> None:
    told = "\n".join(found.unseen)
    assert not [word for word in words if word not in told], told


def test_what_is_not_there_at_all_is_an_error_with_what_to_type(running):
    absent = running.sturdis("doctor", "-n", "no-such-namespace")
    assert (absent.returncode, error_code(absent)) == (18, "cluster.no_pod")
