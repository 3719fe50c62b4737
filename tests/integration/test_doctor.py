"""What `doctor` finds wrong with a real server and real BullMQ, and does not where nothing is."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sturdis import wiring
from sturdis.adapters.faults.shim import Shim
from sturdis.adapters.local import doctor_files
from sturdis.core.address import Address
from sturdis.core.doctor.damage import Files
from sturdis.core.drill.events import Done
from sturdis.core.drill.load import Kind
from tests import matrix
from tests.integration import faults
from tests.integration.examining import SETTINGS, add, examined, ids, told
from tests.integration.faults import url_of
from tests.integration.loads import MODULES, NODE, PYTHON, drain, load, wait_for_events
from tests.integration.running import error_code, running, sturdis
from tests.integration.servers import LOOPBACK, Server, start_server, wait_until

pytestmark = pytest.mark.tier("embedded")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with start_server(tmp_path / "data", *SETTINGS) as server:
        yield server


def test_a_deployment_under_load_has_nothing_wrong_with_it(tmp_path):
    with running("--ephemeral") as up:
        port = int(up.ready["port"])
        with load(Address(LOOPBACK, port), tmp_path, "python", rate=200):
            wait_for_events(tmp_path, Done, 50)
            found = examined(up.url)
            assert (ids(found), found.unseen) == (set(), ()), found.found
            data = Path(up.ready["data"])
            for _ in range(10):  # its end is mid-write at any moment
                files = doctor_files.look(data, is_live=True)
                assert isinstance(files, Files)
                assert not files.problems


def test_a_server_with_a_password_is_looked_at_by_who_has_it(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("not to be shown\n")
    secret.chmod(0o600)
    with running("--ephemeral", "--password-file", str(secret)) as up:
        outside = sturdis("doctor", up.url)
        assert (outside.returncode, error_code(outside)) == (14, "access.denied")
        asyncio.run(add(up.url.replace("//", "//:not%20to%20be%20shown@"), 2))
        inside = sturdis("doctor", up.url, "--password-file", str(secret), "--json")
        assert (inside.returncode, inside.stderr) == (1, ""), inside
        (one,) = (x for x in json.loads(inside.stdout)["findings"] if x["id"] == "workers.none")
        assert f"sturdis cli --target {up.url} --password-file {secret} client list" in one["do"]
        assert "not to be" not in inside.stdout


@pytest.mark.parametrize("language", [PYTHON, NODE])
def test_workers_that_are_connected_and_fetch_nothing_are_named(server, tmp_path, language):
    with load(server, tmp_path, language, rate=20) as workers:
        wait_for_events(tmp_path, Done, 3)
        workers.stop_adding()
        workers.wait_until_added(20)
        drain(Address(LOOPBACK, server.port))
        os.kill(workers.pid, signal.SIGSTOP)
        try:
            asyncio.run(add(url_of(server), 5, "one"))
            found = examined(server)
        finally:
            os.kill(workers.pid, signal.SIGCONT)
        assert ids(found) == {"workers.idle"}
        stuck = told(found, "workers.idle")
        assert "bull:one: 5 jobs wait, none was taken" in stuck.seen
        assert "connections of its workers: 127.0.0.1:" in stuck.seen


@pytest.mark.tier("node")
def test_a_full_memory_is_told_by_what_holds_it_and_emptied_by_what_is_told(server, tmp_path):
    with load(server, tmp_path, "python", rate=100, filling=30_000, mix=(Kind.PLAIN,)) as busy:
        wait_for_events(tmp_path, Done, 150)
        busy.stop_adding()
        busy.wait_until_added(20)
        drain(Address(LOOPBACK, server.port))
    asyncio.run(add(url_of(server), 20, "one"))
    limit = int(server.info("memory")["used_memory"]) - (1 << 20)
    server.call("CONFIG", "SET", "maxmemory", limit)
    with again_and_again(lambda: asyncio.run(faults.add(server, 20))):
        found = examined(server)
    assert {"errors.rising", "memory.full"} <= ids(found)
    full, rising = told(found, "memory.full"), told(found, "errors.rising")
    assert "replies with OOM within" in rising.seen
    held = re.search(r"completed of bull:one: (\d+) take ([\d.]+)Mi", full.seen)
    assert held is not None
    assert float(held[2]) * 2**20 > int(held[1]) * 30_000, "the jobs' data is measured"
    assert "waiting" not in full.do
    assert server.call("ZCARD", "bull:one:completed") != 0
    (clean,) = (one for one in full.do.splitlines() if '"one"' in one and '"completed"' in one)
    environ = {**os.environ, "REDIS_URL": url_of(server)}
    subprocess.run(["sh", "-c", clean], env=environ, cwd=MODULES, check=True, timeout=60)
    assert server.call("ZCARD", "bull:one:completed") == 0
    assert server.call("LLEN", "bull:one:wait") == 20
    assert isinstance(server.call("SET", "there is", "room"), bytes)


def test_connections_that_cost_too_much_are_told(server):
    with contextlib.ExitStack() as open_ones:
        watching = open_ones.enter_context(socket.create_connection((LOOPBACK, server.port)))
        watching.sendall(b"MONITOR\r\n")
        waiting = open_ones.enter_context(socket.create_connection((LOOPBACK, server.port)))
        waiting.sendall(b"BZPOPMIN bull:mails:marker 0\r\n")
        wait_until(lambda: server.info("clients")["blocked_clients"] == "1", "it blocks")
        with again_and_again(lambda: socket.create_connection((LOOPBACK, server.port)).close()):
            found = examined(server)
    assert ids(found) == {"clients.slow", "clients.contract", "clients.churn"}


@contextlib.contextmanager
def again_and_again(act: Callable[[], object]) -> Iterator[None]:
    """Do something again and again, about 50 times a second, while the block lasts."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(0.02):
            act()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.tier("compiler")
@pytest.mark.tier("redis-8.0")
def test_a_disk_that_is_slow_is_seen_while_it_is(tmp_path):
    (row,) = (one for one in matrix.ROWS if str(one) == "redis-8.0")
    data = tmp_path / "data"
    data.mkdir()
    disk = Shim(tmp_path / "shim", data)
    preloaded = ("env", *(f"{name}={value}" for name, value in disk.environ().items()))
    with (
        contextlib.closing(disk),
        start_server(data, *SETTINGS, server=row.server, before=preloaded) as server,
    ):
        disk.slow_down(1.0, 1.0, seed=1)
        with again_and_again(lambda: server.call("INCR", "counter")):
            found = examined(server)
        assert "disk.slow" in {one.id for one in found.found}
        assert "an fsync was under way in" in told(found, "disk.slow").seen


def test_any_server_that_runs_on_a_folder_is_noticed(server, tmp_path):
    assert doctor_files.in_use(tmp_path / "data")
    assert not doctor_files.in_use(tmp_path)
    server.kill()
    assert not doctor_files.in_use(tmp_path / "data")


def test_a_byte_that_flips_under_a_running_server_is_found_and_mended_from_its_memory(tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data)) as up:
        for number in range(100):
            up.cli("set", f"key:{number}", "value")
        assert ids(examined(up.url)) == set()
        path = next((data / "appendonlydir").glob("*.incr.aof"))
        damage(path)
        found = examined(up.url)
        assert ids(found) == {"aof.damaged"}
        assert f"{path} is whole up to byte " in told(found, "aof.damaged").seen
        assert told(found, "aof.damaged").do.startswith("sturdis cli --target")
        up.cli("bgrewriteaof")
        wait_until(lambda: not path.exists(), "the rewrite")
        assert ids(examined(up.url)) == set()
        assert up.cli("dbsize").strip() == "100"


def damage(path: Path) -> None:
    """Put what is no beginning of a command into the middle of a file."""
    content = path.read_bytes()
    at = content.index(b"*3\r\n", len(content) // 2)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"!")


def test_a_folder_without_a_server_is_read_for_what_its_next_start_meets(tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data)) as up:
        for number in range(100):
            up.cli("set", f"key:{number}", "value")
    path = next((data / "appendonlydir").glob("*.incr.aof"))
    whole = path.read_bytes()

    def found() -> set[str]:
        return ids(wiring.doctor(data=data))

    assert found() == set()
    path.write_bytes(whole[:-5])
    (data / "appendonlydir/temp-rewriteaof-1.aof").write_bytes(b"x" * 10)
    assert found() == {"aof.torn", "aof.stale"}
    path.write_bytes(whole)
    damage(path)
    answer = sturdis("doctor", "--data", str(data), "--json")
    first = json.loads(answer.stdout)["findings"][0]
    assert (answer.returncode, first["id"], first["severity"]) == (1, "aof.damaged", "critical")
    assert first["do"].startswith(f"sturdis repair {data} --dry-run")
    path.unlink()
    assert "aof.damaged" in found()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--heal", "--data", "."), "--heal and --data are both given"),
        (("--data", ".", "redis://127.0.0.1:1"), "two targets are named"),
        (("--data", "/nonexistent"), "there is no folder /nonexistent"),
        (("--node-is-off", "n", "redis://127.0.0.1:1"), "doctor is told of no cluster"),
        (("redis://127.0.0.1:1", "--context", "c"), "two targets are named"),
    ],
)
def test_what_does_not_go_together_is_refused(words, why):
    answer = sturdis("doctor", *words)
    assert (answer.returncode, error_code(answer)) == (2, "usage")
    assert why in answer.stderr


def test_what_may_not_be_looked_at_and_what_is_not_there_is_said(server):
    server.call("ACL", "SETUSER", "default", "-client|list", "-scan")
    found = examined(server)
    reasons = " ".join(one.reason for one in found.unseen)
    assert "CLIENT LIST is refused: NOPERM" in reasons
    assert "SCAN" in reasons
    assert sturdis("doctor", "redis://127.0.0.1:1").returncode == 13
    assert sturdis("doctor").returncode == 13
