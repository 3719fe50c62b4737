"""What `doctor` says of a server whose clock was set back, and how fsyncs come again."""

import threading

import pytest

from sturdis import wiring
from sturdis.adapters.faults.shim import Word
from sturdis.adapters.redis.link import Link
from sturdis.core.drill.faults import clock
from tests import matrix
from tests.drills.rigs import faulty
from tests.integration.servers import wait_until

pytestmark = pytest.mark.tier("compiler")

NAMES = [
    pytest.param(row.server, id=str(row), marks=pytest.mark.tier(row.tier))
    for row in matrix.ROWS
    if str(row) in {"redis-7.0", "valkey-9.1"}  # the two names of the thread
]


@pytest.mark.parametrize("server", NAMES)
def test_writes_that_no_fsync_follows_are_told_until_what_is_told_is_done(tmp_path, server):
    with faulty(tmp_path, clock.ClockStep(), server) as fault:
        shim, address = fault.rig.shim, fault.rig.address
        assert shim is not None
        ended = threading.Event()

        def write() -> None:
            with Link(address) as link:
                while not ended.wait(0.02):
                    link.call("INCR", "n")

        writing = threading.Thread(target=write)
        writing.start()
        try:
            assert not unsynced(str(address))
            shim.set_clock(3600.0)
            so_far = shim.count(Word.COMPLETED)
            wait_until(lambda: shim.count(Word.COMPLETED) > so_far + 1, "one by the clock ahead")
            shim.set_clock(0.0)
            (told,) = unsynced(str(address))
            with Link(address) as link:
                for line in told.splitlines():
                    words = line.partition("    ")[0].split()
                    link.call(*words[words.index("cli") + 3 :])
            assert not unsynced(str(address))
        finally:
            ended.set()
            writing.join()


def unsynced(url: str) -> list[str]:
    return [one.do for one in wiring.doctor(url).found if one.id == "disk.unsynced"]
