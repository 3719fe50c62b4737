"""How often a server is probed, and what of it is told."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import pytest

from sturdis.adapters.local import binaries, probe
from sturdis.core.supervision.events import Event, Replied, Unanswered
from tests.integration.running import program
from tests.integration.servers import LOOPBACK, start_server

pytestmark = pytest.mark.tier("embedded")

EVERY = 1.0


@contextmanager
def probed(place: probe.Place, told: SimpleQueue[Event]) -> Iterator[None]:
    """Probe the server at `place` until the block ends."""
    stop = threading.Event()
    watching = threading.Thread(target=probe.watch, args=(place, 1, EVERY, told.put, stop))
    watching.start()
    try:
        yield
    finally:
        stop.set()
        watching.join()


def test_probes_without_a_reply_follow_each_other_as_closely_as_others(tmp_path):
    conf = tmp_path / "redis.conf"
    conf.touch()
    told: SimpleQueue[Event] = SimpleQueue()
    with_conf = program(tmp_path / "server", f'exec {binaries.find_embedded()} {conf} "$@"')
    with (
        start_server(tmp_path / "data", server=with_conf) as server,
        probed(probe.Place(LOOPBACK, server.port, conf), told),
    ):
        assert told.get(timeout=20) == Replied(1, "+PONG")
        os.kill(server.process.pid, signal.SIGSTOP)
        while told.get(timeout=20) != Unanswered(1):
            pass
        began = time.monotonic()
        assert [told.get(timeout=20) for _ in range(3)] == 3 * [Unanswered(1)]
        taken = time.monotonic() - began
    assert taken < 4.5 * EVERY, "6 where the wait for a reply is not counted"
