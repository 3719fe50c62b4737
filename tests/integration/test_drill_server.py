"""A server that is killed for a drill: what was seen of it before, and whether it came back."""

import signal
import subprocess

import pytest

from sturdis.adapters.drill import ownership
from sturdis.adapters.drill.server import LocalServer
from sturdis.core import address as addresses
from sturdis.core.address import Address
from sturdis.core.errors import DrillError
from tests.integration.running import running
from tests.integration.servers import LOOPBACK, start_server

pytestmark = pytest.mark.tier("embedded")


@pytest.mark.parametrize("appendonly", ["yes", "no"])
def test_a_kill_tells_what_the_fsyncs_did_before(appendonly, tmp_path):
    with start_server(tmp_path / "data", "--appendonly", appendonly) as server:
        killed = LocalServer(Address(LOOPBACK, server.port), lambda: server.process.pid).kill(3)
        assert server.process.wait(10) == -signal.SIGKILL
    assert (killed.round, killed.pid) == (3, server.process.pid)
    assert (killed.delayed_fsyncs, killed.fsync_pending) == (0, False)


def test_a_kill_of_a_server_that_does_not_answer_tells_that_nothing_was_seen(tmp_path):
    with start_server(tmp_path / "data", "--appendonly", "yes") as server:
        found = LocalServer(Address(LOOPBACK, server.port), lambda: server.process.pid)
        server.process.send_signal(signal.SIGSTOP)
        killed = found.kill(1)
        assert server.process.wait(10) == -signal.SIGKILL
    assert (killed.delayed_fsyncs, killed.fsync_pending) == (None, None)


def test_a_server_that_another_process_serves_again_is_seen_to(tmp_path):
    with start_server(tmp_path / "data") as server:
        pids = [server.process.pid]
        found = LocalServer(Address(LOOPBACK, server.port), lambda: pids[-1])
        killed = found.kill(1)
        server.process.wait(10)
        with start_server(tmp_path / "data", port=server.port) as again:
            pids.append(again.process.pid)
            served = found.wait_until_served(1, 10)
            assert found.kill(2).pid == again.process.pid
    assert (served.round, served.pid) == (1, again.process.pid)
    assert served.at >= killed.at


def test_a_server_that_does_not_come_back_ends_the_drill(tmp_path):
    with start_server(tmp_path / "data") as server:
        found = LocalServer(Address(LOOPBACK, server.port), lambda: server.process.pid)
        with pytest.raises(DrillError) as alive:
            found.wait_until_served(0, 0.1)  # the process before does not count
        found.kill(1)
        with pytest.raises(DrillError) as gone:
            found.wait_until_served(1, 0.1)
        server.process.wait(10)
        with pytest.raises(DrillError) as dead:
            found.kill(2)
    assert dead.value.code == alive.value.code == gone.value.code == "drill.not_served"


def test_a_server_that_was_replaced_unseen_is_not_killed(tmp_path):
    with start_server(tmp_path / "data") as server:
        found = LocalServer(Address(LOOPBACK, server.port), lambda: server.process.pid)
        server.kill()
        with start_server(tmp_path / "data", port=server.port) as again:
            with pytest.raises(DrillError) as replaced:
                found.kill(1)
            assert again.call("PING") == b"PONG"
    assert replaced.value.code == "drill.not_served"


def test_a_server_that_nobody_says_to_have_started_is_never_killed(tmp_path):
    says: list[int | None] = [None]
    with start_server(tmp_path / "data") as server:
        address = Address(LOOPBACK, server.port)
        with pytest.raises(DrillError) as unknown:
            LocalServer(address, lambda: says[-1])
        says.append(server.process.pid)
        found = LocalServer(address, lambda: says[-1])
        says.append(None)  # its `up` ended meanwhile
        with pytest.raises(DrillError) as ended:
            found.kill(1)
        assert server.call("PING") == b"PONG"
    assert unknown.value.code == ended.value.code == "drill.not_ours"


def test_a_process_that_a_server_only_names_is_no_proof(tmp_path):
    with (
        subprocess.Popen(["sleep", "600"]) as victim,
        start_server(tmp_path / "data") as server,
    ):
        assert ownership.listens(server.process.pid, server.port)
        assert not ownership.listens(victim.pid, server.port)
        assert not ownership.listens(server.process.pid, server.port + 1)
        victim.kill()


def test_the_server_of_an_up_is_its_own_as_long_as_it_allows_drills():
    for options, allowed in (((), False), (("--drills",), True)):
        with running("--ephemeral", "--server", "embedded", *options) as up:
            found = ownership.of_marked_up(addresses.parse(up.url))
            assert found == (up.server_pid if allowed else None)
            at = up.url
    assert ownership.of_marked_up(addresses.parse(at)) is None
