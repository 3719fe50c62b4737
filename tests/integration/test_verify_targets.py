"""What `verify` is aimed at: found, named, shut, silent, or not there at all."""

import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sturdis import wiring
from sturdis.adapters import metrics_http
from sturdis.adapters.redis import target
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.errors import TargetError
from sturdis.core.facts import NoScrape, Unseen
from tests.integration.running import error_code, running, sturdis
from tests.integration.servers import start_server, wait_until
from tests.integration.verdicts import not_passed, verdicts


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
        "configuration": "warn",
        "persistence.appendonly": "fail",
        "persistence.fsync": "n/a",
        "persistence.disk": "n/a",
        "memory.maxmemory": "fail",
        "memory.used": "n/a",
        "memory.room": "n/a",
        "keys.expiry": "n/a",
        "metrics": "fail",
    }


@pytest.mark.tier("embedded")
def test_metrics_nobody_spoke_of_are_unknown(plain):
    _status, found = not_passed(plain)
    assert found["metrics"] == "unknown"
    sturdis("cli", "--target", plain, "config", "set", "appendonly", "yes")
    sturdis("cli", "--target", plain, "config", "set", "maxmemory", "100mb")
    assert not_passed(plain) == (3, {"metrics": "unknown", "configuration": "warn"})


@pytest.mark.tier("embedded")
def test_metrics_of_another_endpoint_count(plain, tmp_path):
    with running("--ephemeral", "--server", "embedded") as up:
        _status, found = verdicts(plain, "--metrics", up.ready["metrics"])
    assert found["metrics"] == "pass"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://", "http://[::1", "http://u:s3cr3t@h/"]
)
def test_an_address_that_cannot_be_one_of_metrics_is_refused(url):
    answer = sturdis("verify", "redis://127.0.0.1:1", "--metrics", url)
    assert (answer.returncode, error_code(answer)) == (2, "usage.address")
    assert "s3cr3t" not in answer.stdout + answer.stderr


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
        needless = {**os.environ, "REDISCLI_AUTH": "of-another-server"}
        with running("--ephemeral", "--server", "embedded") as open_one:
            assert not_passed(env=needless) == (0, {})
            assert sturdis("cli", "--target", open_one.url, "ping", env=needless).stdout == "PONG\n"
        given = sturdis("verify", url.replace("//", "//:s3cr3t@"))
        assert "completed after" in given.stdout
        assert "s3cr3t" not in given.stdout + given.stderr


@pytest.mark.tier("embedded")
def test_a_password_set_on_a_running_up_is_taken_from_the_environment():
    with running("--ephemeral", "--server", "embedded") as up:
        up.cli("config", "set", "requirepass", "s3cr3t")
        assert sturdis("verify").returncode == 14
        status, found = not_passed(env={**os.environ, "REDISCLI_AUTH": "s3cr3t"})
        assert (status, found) == (1, {"metrics": "fail"}), "whose scrape knows no password"


@pytest.mark.tier("embedded")
def test_this_machine_is_the_running_up_by_any_of_its_names():
    with running("--ephemeral", "--server", "embedded") as up:
        aim = wiring.resolve(up.url.replace("127.0.0.1", "localhost"))
        assert aim.running is not None
        assert aim.running.at.url == up.url


@pytest.mark.tier("embedded")
def test_a_scrape_takes_no_proxy():
    with running("--ephemeral", "--server", "embedded"):
        assert not_passed(env={**os.environ, "http_proxy": "http://127.0.0.1:1"}) == (0, {})


@pytest.mark.tier("embedded")
def test_a_server_without_a_free_connection_leaves_access_unknown(tmp_path):
    with start_server(tmp_path) as server:
        address = Address("127.0.0.1", server.port)
        with Link(address) as only:
            wait_until(lambda: str(only.call("CLIENT", "LIST")).count("id=") == 1, "being alone")
            only.call("CONFIG", "SET", "maxclients", 1)
            seen = target.password_required(address)
    assert isinstance(seen, Unseen)
    assert seen.reason


@pytest.mark.tier("embedded")
def test_what_an_acl_refuses_is_unknown(tmp_path):
    rules = ("on", "nopass", "~*", "+ping", "+select", "+client|setinfo")
    with start_server(tmp_path, "--user", "looker", *rules) as address:
        url = f"redis://looker@127.0.0.1:{address.port}"
        status, found = not_passed(url, env={**os.environ, "REDISCLI_AUTH": "any"})
    assert status == 3
    assert found["roundtrip"] == found["bullmq.job"] == found["memory.policy"] == "unknown"


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


@pytest.mark.parametrize(
    "says",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00\x00", b"%1\r\n+a\r\n+b\r\n" * 9],
    ids=["HTTP", "zeros", "RESP3"],
)
def test_an_address_that_speaks_something_else_is_silent(says):
    with speaker(says) as port:
        answer = sturdis("cli", "--target", f"redis://127.0.0.1:{port}", "ping")
    assert (answer.returncode, error_code(answer)) in {(13, "target.silent"), (13, "target.lost")}


@pytest.mark.parametrize("words", ["verify ADDRESS", "cli --target ADDRESS ping"])
def test_an_address_that_answers_a_byte_at_a_time_holds_nobody(words):
    with dripper() as port:
        answer = sturdis(*words.replace("ADDRESS", f"redis://127.0.0.1:{port}").split())
    assert (answer.returncode, error_code(answer)) == (13, "target.silent")
    assert "within 5 s" in answer.stderr


def test_metrics_that_come_a_byte_at_a_time_hold_nobody():
    with dripper() as port:
        seen = metrics_http.fetch(f"http://127.0.0.1:{port}/metrics")
    assert isinstance(seen, NoScrape)
    assert "within" in seen.reason


@pytest.mark.tier("embedded")
def test_a_connection_of_limited_life_is_cut_while_a_reply_is_awaited(tmp_path):
    with start_server(tmp_path) as server:
        address = Address("127.0.0.1", server.port)
        with Link(address, reply_seconds=None, life_seconds=0.2) as link:
            for _again in range(2):
                with pytest.raises(TargetError) as told:
                    link.call("BLPOP", "nothing", 0)
                assert told.value.code == "target.silent"


@contextlib.contextmanager
def dripper() -> Iterator[int]:
    """Listen, and answer everyone with a line that never ends, a byte at a time."""
    done = threading.Event()

    def drip() -> None:
        with contextlib.suppress(OSError):
            link, _peer = listener.accept()
            with link:
                while not done.wait(0.1):
                    link.sendall(b"+")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, daemon=True).start()
        yield listener.getsockname()[1]
        done.set()


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


def test_json_carries_errors_as_well():
    answer = sturdis("verify", "--json")
    error = json.loads(answer.stdout)["error"]
    assert (answer.returncode, error["exit"], error["code"]) == (13, 13, "target.none")
    assert error["what"]
    assert error["why"]
    assert error["do"]
