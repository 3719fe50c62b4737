"""What `doctor` says of a disk that was full, and how the file is whole again before a restart."""

import contextlib
import os

import pytest

from sturdis import wiring
from sturdis.adapters.local import server_log
from sturdis.adapters.redis.link import Link
from sturdis.core.doctor import cut_short
from sturdis.core.doctor.cut_short import Told
from sturdis.core.drill.faults import disk
from sturdis.core.errors import TargetError
from tests.drills.rigs import faulty, figure
from tests.integration.running import SERVERS
from tests.integration.servers import wait_until

pytestmark = [
    pytest.mark.tier("mounts"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk"),
]

LARGE = "redis.call('set', 'large', ARGV[1]); return redis.call('incr', 'n')"

PAGE = 4096


@pytest.mark.parametrize("server", SERVERS)
def test_a_file_that_a_full_disk_damaged_is_found_and_whole_before_a_restart(tmp_path, server):
    with faulty(tmp_path, disk.DiskFull(), server) as fault, Link(fault.rig.address) as link:
        rig, url = fault.rig, str(fault.rig.address)
        link.call("SET", "a", "b")  # the rest of its page has room
        filler = rig.data / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(PAGE))
        assert link.call("EVAL", LARGE, 0, "x" * 20_000) == 1
        wait_until(fault.refuses, "writes to be refused")

        with pytest.raises(TargetError, match="still fails") as full:
            wiring.heal(url, agree=lambda _plan: pytest.fail("it is not asked"))
        assert full.value.why.startswith("nothing was changed")
        assert rig.info()["aof_rewrites"] == "1"

        filler.unlink()
        wait_until(lambda: not fault.refuses(), "writes to come back")
        assert link.call("EVAL", LARGE, 0, "y") == 2
        assert cut_short.is_likely(rig.info())
        assert cut_short.read(server_log.end(rig.data)).line
        damaged = wiring.doctor(url).found[0]
        assert damaged.id == "aof.damaged"
        assert f"{rig.increment()} is whole up to byte" in damaged.seen
        assert "bgrewriteaof at once, before any restart" in damaged.do

        healed = wiring.heal(url, agree=lambda _plan: None)
        assert healed.steps == ("wrote the append-only file anew",)
        assert cut_short.read(server_log.end(rig.data)) == Told(is_mended=True)
        aof = {one.id for one in wiring.doctor(url).found if one.id.startswith("aof.")}
        assert not aof & {"aof.damaged", "aof.write", "aof.cut_short"}
        rig.kill(1)
        fault.down = True
        fault.undo(1, 60)
        assert figure(fault, "repaired") == 0
        assert rig.call("MGET", "large", "n") == (b"y", b"2")
