"""Looks at a server's fsyncs that go on until it is dead."""

import os
import signal

import pytest

from sturdis.adapters.drill.looks import Looks, Seen
from sturdis.core.address import Address
from tests.integration.servers import LOOPBACK, start_server

pytestmark = pytest.mark.tier("embedded")


@pytest.mark.parametrize("appendonly", ["yes", "no"])
def test_the_last_look_at_a_server_that_was_killed_is_told(tmp_path, appendonly):
    with start_server(tmp_path, "--appendonly", appendonly) as server:
        looks = Looks(Address(LOOPBACK, server.port))
        os.kill(server.process.pid, signal.SIGKILL)
        assert looks.last() == Seen(0, pending=False, late=0)


def test_of_a_server_that_answers_nothing_nothing_is_seen(tmp_path):
    with start_server(tmp_path) as server:
        port = server.port
        server.process.kill()
        server.process.wait()
        assert Looks(Address(LOOPBACK, port)).last() == Seen()
