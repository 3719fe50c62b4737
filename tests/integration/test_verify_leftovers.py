"""What a killed `verify` leaves, and who removes it; and a `verify` that writes nothing."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from sturdis.core.runs import REGISTER, RUN_SECONDS
from tests.integration.running import SERVERS, STURDIS, sturdis
from tests.integration.servers import Server, TcpProxy, start_server, wait_until


class FreezingProxy(TcpProxy):
    """Once a client has asked for the key `at`, the server is still asked, but never heard."""

    def __init__(self, target: int, *, at: bytes) -> None:
        super().__init__(target)
        self._at = at
        self._frozen = threading.Event()
        self._over = threading.Event()

    def asks(self, _sent: bytes) -> None:
        if self._at in _sent:
            self._frozen.set()

    def answers(self, _sent: bytes) -> None:
        if self._frozen.is_set():
            self._over.wait()

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        super().__exit__()


def keys(server: Server) -> set[bytes]:
    found = server.call("KEYS", "*")
    assert isinstance(found, tuple)
    return {key for key in found if isinstance(key, bytes)}


def url(server: Server) -> str:
    return f"redis://127.0.0.1:{server.port}"


@contextmanager
def verify_in_the_middle_of_its_job(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """Run `verify` until its job was added, and stop it there until the block ends."""
    sturdis("verify", url(server))  # the server knows the scripts from now on
    assert keys(server) == set()
    with FreezingProxy(server.port, at=b":probe:marker") as proxy:
        command = [*STURDIS, "verify", f"redis://127.0.0.1:{proxy.port}"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            wait_until(lambda: any(b":probe:job" in key for key in keys(server)), "a job")
            process.send_signal(signal.SIGSTOP)
            try:
                yield process
            finally:
                process.kill()


@pytest.mark.parametrize("server", SERVERS)
def test_what_a_killed_run_left_is_removed_by_the_next(server, tmp_path):
    with (
        start_server(tmp_path, server=server) as running,
        verify_in_the_middle_of_its_job(running) as process,
    ):
        process.kill()
        process.wait()
        left = keys(running)
        assert REGISTER.encode() in left
        assert len(left) > 3
        running.call("SET", "sturdis:verify:mine", "1")
        sturdis("verify", url(running))
        assert keys(running) == {b"sturdis:verify:mine"}


@pytest.mark.parametrize("server", SERVERS)
def test_a_run_that_goes_on_is_left_alone(server, tmp_path):
    with (
        start_server(tmp_path, server=server) as running,
        verify_in_the_middle_of_its_job(running),
    ):
        before = keys(running)
        sturdis("verify", url(running))
        assert keys(running) == before


def leftover(server: Server, client: object, age: int) -> str:
    """Write what a run leaves that began `age` seconds ago; give its key."""
    uuid = str(uuid4())
    now = server.call("TIME")
    assert isinstance(now, tuple)
    assert isinstance(now[0], bytes)
    server.call("HSET", REGISTER, uuid, f"{client} {int(now[0]) - age}")
    server.call("SET", key := f"sturdis:verify:{uuid}:probe:wait", "x")
    return key


@pytest.mark.tier("embedded")
def test_where_connections_are_not_listed_the_age_of_a_run_tells(tmp_path):
    rules = ("on", "nopass", "~*", "&*", "+@all", "-client|list")
    with start_server(tmp_path, "--user", "looker", *rules) as server:
        young = leftover(server, 10**9, 5)
        leftover(server, 10**9, RUN_SECONDS + 1)
        environ = {**os.environ, "REDISCLI_AUTH": "any"}
        sturdis("verify", url(server).replace("//", "//looker@"), env=environ)
        assert keys(server) == {REGISTER.encode(), young.encode()}


@pytest.mark.tier("embedded")
def test_more_leftovers_than_one_run_looks_at_are_removed_by_several(tmp_path):
    with start_server(tmp_path) as server:
        for _run in range(700):  # a hash of more than 512 fields is no list, and read in parts
            leftover(server, 10**9, RUN_SECONDS + 1)
        sturdis("verify", url(server))
        left = len(keys(server))
        assert 350 < left < 680
        sturdis("verify", url(server))
        assert len(keys(server)) < left


@pytest.mark.tier("embedded")
def test_a_register_of_another_kind_harms_nothing(tmp_path):
    with start_server(tmp_path) as server:
        server.call("SET", REGISTER, "mine")
        answer = sturdis("verify", url(server))
        assert "completed after" in answer.stdout
        assert keys(server) == {REGISTER.encode()}


@pytest.mark.tier("embedded")
@pytest.mark.parametrize("command", ["client|id", "hdel", "hscan", "time"])
def test_a_server_that_refuses_the_register_is_checked_without(tmp_path, command):
    rules = ("on", "nopass", "~*", "&*", "+@all", f"-{command}")
    with start_server(tmp_path, "--user", "looker", *rules) as server:
        environ = {**os.environ, "REDISCLI_AUTH": "any"}
        answer = sturdis("verify", url(server).replace("//", "//looker@"), "--json", env=environ)
        found = {one["id"]: one["verdict"] for one in json.loads(answer.stdout)["checks"]}
        assert found["roundtrip"] == "pass"
        assert keys(server) <= {REGISTER.encode()}
        sturdis("verify", url(server))
        assert keys(server) == set()


@pytest.mark.parametrize("server", SERVERS)
def test_a_read_only_run_sends_nothing_that_writes(server, tmp_path):
    with start_server(tmp_path, server=server) as running:
        sturdis("verify", url(running))
        assert used(running) & writing(running), "or this test proves nothing"
        leftover(running, 10**9, RUN_SECONDS + 1)
        before = keys(running)
        running.call("CONFIG", "RESETSTAT")
        answer = sturdis("verify", url(running), "--read-only", "--json")
        assert not used(running) & writing(running)
        assert not {name for name in used(running) if name.startswith(("eval", "fcall"))}
        assert keys(running) == before
    report = json.loads(answer.stdout)
    skipped = [one for one in report["checks"] if one["seen"] == "not tried: --read-only"]
    assert {one["id"] for one in skipped} >= {"roundtrip", "bullmq.job"}
    assert {one["verdict"] for one in skipped} == {"unknown"}
    assert all("without --read-only" in one["do"] for one in skipped)
    assert any(one["verdict"] == "pass" for one in report["checks"])


def used(server: Server) -> set[str]:
    stats = server.info("commandstats")
    return {name.removeprefix("cmdstat_").partition("|")[0] for name in stats}


def writing(server: Server) -> set[str]:
    listed = server.call("COMMAND", "LIST", "FILTERBY", "ACLCAT", "write")
    assert isinstance(listed, tuple)
    return {name.decode().partition("|")[0] for name in listed if isinstance(name, bytes)}
