"""A server that is killed for a drill: what was seen of it before, and whether it came back."""

import signal

import pytest

from sturdis.adapters.drill.server import LocalServer
from sturdis.core.address import Address
from sturdis.core.errors import DrillError
from tests.integration.servers import LOOPBACK, start_server

pytestmark = pytest.mark.tier("embedded")


@pytest.mark.parametrize("appendonly", ["yes", "no"])
def test_a_kill_tells_what_the_fsyncs_did_before(appendonly, tmp_path):
    with start_server(tmp_path / "data", "--appendonly", appendonly) as server:
        killed = LocalServer(Address(LOOPBACK, server.port)).kill(3)
        assert server.process.wait(10) == -signal.SIGKILL
    assert (killed.round, killed.pid) == (3, server.process.pid)
    assert (killed.delayed_fsyncs, killed.fsync_pending) == (0, False)


def test_a_kill_of_a_server_that_does_not_answer_tells_that_nothing_was_seen(tmp_path):
    with start_server(tmp_path / "data", "--appendonly", "yes") as server:
        found = LocalServer(Address(LOOPBACK, server.port))
        server.process.send_signal(signal.SIGSTOP)
        killed = found.kill(1)
        assert server.process.wait(10) == -signal.SIGKILL
    assert (killed.delayed_fsyncs, killed.fsync_pending) == (None, None)


def test_a_server_that_another_process_serves_again_is_seen_to(tmp_path):
    with start_server(tmp_path / "data") as server:
        found = LocalServer(Address(LOOPBACK, server.port))
        killed = found.kill(1)
        server.process.wait(10)
        with start_server(tmp_path / "data", port=server.port) as again:
            served = found.wait_until_served(1, 10)
            assert found.kill(2).pid == again.process.pid
    assert (served.round, served.pid) == (1, again.process.pid)
    assert served.at >= killed.at


def test_a_server_that_does_not_come_back_ends_the_drill(tmp_path):
    with start_server(tmp_path / "data") as server:
        found = LocalServer(Address(LOOPBACK, server.port))
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
        found = LocalServer(Address(LOOPBACK, server.port))
        server.kill()
        with start_server(tmp_path / "data", port=server.port) as again:
            with pytest.raises(DrillError) as replaced:
                found.kill(1)
            assert again.call("PING") == b"PONG"
    assert replaced.value.code == "drill.not_served"
