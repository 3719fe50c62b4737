"""`verify --restart`: a real server ends, is started again, and has what was written."""

import contextlib
import json
import os
import pty
import subprocess

import pytest

from sturdis.adapters.redis.restarts import ByShutdown
from sturdis.adapters.redis.target import RedisTarget
from sturdis.core.address import Address
from sturdis.core.facts import Refused, Restarted, Unseen
from tests.integration.running import SERVERS, STURDIS, error_code, running, sturdis
from tests.integration.servers import LOOPBACK, start_server

CHECK = "persistence.restart"


def target_at(port: int, *, seconds: float = 20.0) -> RedisTarget:
    address = Address(LOOPBACK, port)
    return RedisTarget(address, cli="", metrics_url=None, start_seconds=seconds)


def finding(answer: subprocess.CompletedProcess[str]) -> dict[str, str]:
    found: dict[str, str]
    (found,) = (one for one in json.loads(answer.stdout)["checks"] if one["id"] == CHECK)
    return found


@pytest.mark.parametrize("server", SERVERS)
def test_a_running_up_comes_back_with_what_was_written(server):
    with running("--ephemeral", "--server", server) as up:
        up.cli("set", "mine", "1")
        before = up.info("server")["run_id"]
        answer = sturdis("verify", "--restart", "--yes", "--json")
        assert answer.returncode == 0
        assert finding(answer)["verdict"] == "pass"
        assert "down for" in finding(answer)["seen"]
        assert "SHUTDOWN" in answer.stderr, "the plan"
        assert up.info("server")["run_id"] != before
        assert (up.cli("keys", "*"), up.cli("get", "mine")) == ("mine", "1")


@pytest.mark.tier("embedded")
def test_nothing_is_restarted_without_a_yes():
    with running("--ephemeral", "--server", "embedded") as up:
        before = up.info("server")["run_id"]
        answer = sturdis("verify", "--restart", stdin=subprocess.DEVNULL)
        assert (answer.returncode, answer.stdout) == (2, "")
        told = answer.stderr[answer.stderr.index("error[") :]
        assert error_code(subprocess.CompletedProcess([], 2, "", told)) == "usage.not_agreed"
        assert up.info("server")["run_id"] == before


@pytest.mark.tier("embedded")
@pytest.mark.parametrize(("says", "status", "restarted"), [("y", 0, True), ("n", 2, False)])
def test_a_person_is_asked_on_a_terminal(says, status, restarted):
    with running("--ephemeral", "--server", "embedded") as up:
        before = up.info("server")["run_id"]
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [*STURDIS, "verify", "--restart"],
            stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        os.close(follower)
        os.write(leader, f"{says}\n".encode())
        _printed, asked = process.communicate(timeout=60)
        os.close(leader)
        assert process.returncode == status
        assert "Restart it?" in asked
        assert (up.info("server")["run_id"] != before) == restarted


@pytest.mark.tier("embedded")
def test_nothing_is_restarted_that_would_come_back_empty():
    with running("--ephemeral", "--server", "embedded") as up:
        before = up.info("server")["run_id"]
        up.cli("config", "set", "appendonly", "no")
        answer = sturdis("verify", "--restart", "--yes", "--json")
        assert answer.returncode == 1
        assert finding(answer)["verdict"] == "unknown"
        assert "persistence.appendonly" in finding(answer)["seen"]
        assert up.info("server")["run_id"] == before


@pytest.mark.tier("embedded")
def test_a_server_that_nobody_starts_again_is_left_alone(tmp_path):
    with start_server(tmp_path, "--appendonly", "yes") as server:
        answer = sturdis(
            "verify", "--restart", "--json", f"redis://127.0.0.1:{server.port}",
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert finding(answer)["verdict"] == "n/a"
        assert "SHUTDOWN" not in answer.stderr
        assert server.process.poll() is None


@pytest.mark.tier("embedded")
def test_a_server_that_comes_back_empty_lost_the_marker(tmp_path):
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(start_server(tmp_path / "one", "--appendonly", "yes"))

        def swap() -> None:
            first.kill()
            stack.enter_context(start_server(tmp_path / "two", port=first.port))

        seen = target_at(first.port).survive(swap)
    assert isinstance(seen, Restarted)
    assert seen.read is None
    assert seen.written


@pytest.mark.tier("embedded")
def test_a_server_that_does_not_come_back_is_told(tmp_path):
    with start_server(tmp_path) as server:
        seen = target_at(server.port, seconds=0.2).survive(server.kill)
    assert isinstance(seen, Refused)
    assert "did not serve again" in seen.reason


@pytest.mark.parametrize("program", SERVERS)
@pytest.mark.parametrize("rule", ["-shutdown", "-set", "-info"])
def test_what_the_acl_refuses_leaves_the_server_running_and_nothing_in_it(tmp_path, program, rule):
    with start_server(tmp_path, server=program) as server:
        server.call("ACL", "SETUSER", "looker", "on", "nopass", "~*", "&*", "+@all", rule)
        user = Address(LOOPBACK, server.port, username="looker", password="any")
        target = RedisTarget(user, cli="", metrics_url=None)
        assert isinstance(target.survive(ByShutdown(user).restart), Unseen)
        assert server.process.poll() is None
        assert server.call("DBSIZE") == 0
