"""Faults of processes, disks and clocks: what each does to a server, and what is kept after it."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator

import pytest

from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.redis.link import Link
from sturdis.core.drill.events import Destroyed, Killed, PowerCut, Served
from sturdis.core.drill.faults import clock, disk, process
from sturdis.core.drill.faults.process import Moment
from sturdis.core.errors import SturdisError
from tests.drills.rigs import faulty
from tests.integration.servers import wait_until

pytestmark = pytest.mark.tier("embedded")

preloaded = pytest.mark.tier("compiler")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")

PATIENCE = 60.0


class Writer:
    """Counts up in a server as fast as it is answered, and remembers what it was told when."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._end = threading.Event()
        self.acknowledged = [(0.0, 0)]

    @property
    def last(self) -> int:
        """The last number that was acknowledged."""
        return self.acknowledged[-1][1]

    def older_than(self, at: float) -> int:
        """Give the last number that was acknowledged before `at` (s since 1970)."""
        return max((number for when, number in self.acknowledged if when < at), default=0)

    def _write(self) -> None:
        while not self._end.is_set():
            with contextlib.suppress(SturdisError), Link(self._rig.address) as link:
                while not self._end.is_set():
                    number = link.call("INCR", "n")
                    if isinstance(number, int):
                        self.acknowledged.append((time.time(), number))

    @contextlib.contextmanager
    def running(self) -> Iterator["Writer"]:
        writing = threading.Thread(target=self._write)
        writing.start()
        try:
            wait_until(lambda: self.last > 50, "the first writes")
            yield self
        finally:
            self._end.set()
            writing.join()


def kept(rig: Rig) -> int:
    """Give the number that a server has."""
    value = rig.call("GET", "n")
    return int(value) if isinstance(value, bytes) else 0


@pytest.mark.parametrize("moment", Moment)
def test_a_kill_at_any_moment_loses_nothing_on_a_disk_that_keeps_up(moment, tmp_path):
    with faulty(tmp_path, process.Kill(moment=moment), "embedded") as fault:
        with Link(fault.rig.address) as link:
            link.call_all([("SET", f"key:{number}", "x" * 100) for number in range(500)])
        with Writer(fault.rig).running() as writer:
            killed, *_more = fault.inject(1)
            acknowledged = writer.last
            assert isinstance(killed, Killed)
            (served,) = fault.undo(1, PATIENCE)
        assert isinstance(served, Served)
        assert served.at >= killed.at
        assert kept(fault.rig) >= acknowledged
        assert fault.figures().get("unmet", 0) == 0  # a kill at any moment misses nothing
        assert fault.undo(1, PATIENCE) == ()  # nothing is broken any more


def test_what_a_rewrite_left_is_removed_and_its_chain_is_whole(tmp_path):
    with faulty(tmp_path, process.Kill(moment=Moment.REWRITE), "embedded") as fault:
        with Link(fault.rig.address) as link:
            link.call_all([("SET", f"key:{number}", "x" * 100) for number in range(500)])
        fault.inject(1)
        fault.undo(1, PATIENCE)
        figures = fault.figures()
        assert figures["temporary_files"]
        assert (figures["temporary_files_left"], figures["broken_chains"]) == (0, 0)


def test_without_the_guard_what_a_rewrite_left_stays(tmp_path):
    options = process.Kill(moment=Moment.REWRITE)
    with faulty(tmp_path, options, "embedded", guarded=False) as fault:
        with Link(fault.rig.address) as link:
            link.call_all([("SET", f"key:{number}", "x" * 100) for number in range(500)])
        fault.inject(1)
        fault.undo(1, PATIENCE)
        figures = fault.figures()
        assert figures["temporary_files"] == figures["temporary_files_left"] == 1


def test_a_stopped_server_goes_on_where_it_was(tmp_path):
    with faulty(tmp_path, process.Stop(), "embedded") as fault:
        before = fault.rig.pid
        with Writer(fault.rig).running() as writer:
            assert fault.inject(1) == ()
            stopped_at = writer.last
            assert fault.figures()["unmet"] == 0
            assert fault.undo(1, PATIENCE) == ()
            wait_until(lambda: writer.last > stopped_at + 1, "writes to go on")
        assert fault.rig.pid == before
        assert kept(fault.rig) == writer.last


@preloaded
def test_a_power_cut_costs_no_more_than_the_window_and_tells_what_it_took(tmp_path):
    lost = []
    with faulty(tmp_path, disk.PowerCut(), "embedded") as fault:
        for number in range(1, 5):
            with Writer(fault.rig).running() as writer:
                threading.Event().wait(0.4 * number)  # each phase of the second between fsyncs
                killed, cut = fault.inject(number)
            assert isinstance(cut, PowerCut)
            fault.undo(number, PATIENCE)
            here = kept(fault.rig)
            lost.append(writer.last - here)
            synced_at = (cut.synced_at or 0) / 1000  # 0: the first fsync is still to come
            assert here >= writer.older_than(min(synced_at, killed.at / 1000 - 2))
            assert bool(cut.lost) or not lost[-1]
            assert cut.lost <= cut.unsynced
    assert any(lost)


@preloaded
def test_a_power_cut_without_fsyncs_costs_what_is_older_than_the_window(tmp_path):
    never = {"appendfsync": "no"}
    # the seed keeps a fifteenth; of all writes two thirds are older than the window
    with faulty(tmp_path, disk.PowerCut(), "embedded", seed=3, settings=never) as fault:
        with Writer(fault.rig).running() as writer:
            threading.Event().wait(2.5)
            killed, cut = fault.inject(1)
        assert isinstance(cut, PowerCut)
        fault.undo(1, PATIENCE)
        assert kept(fault.rig) < writer.older_than(killed.at / 1000 - 2)


@preloaded
def test_a_power_cut_as_a_rewrite_begins_is_repaired_where_no_server_loads_what_is_left(tmp_path):
    options = disk.PowerCut(moment=Moment.REWRITE)
    with faulty(tmp_path, options, "embedded", seed=3) as fault:
        for number in range(1, 13):
            with Writer(fault.rig).running() as writer:
                killed, cut = fault.inject(number)
            assert isinstance(cut, PowerCut)
            fault.undo(number, PATIENCE)
            assert kept(fault.rig) >= writer.older_than(killed.at / 1000 - 2)
            if fault.figures()["repaired"]:
                break
        figures = fault.figures()
    assert figures["unmet"] == figures["kills"]  # no job was at stake, numbers alone
    assert figures["repaired"]
    assert (figures["longest_fsync"] or 0) < 10  # nothing that a kill ended is still counted


@preloaded
def test_a_kill_in_a_slow_fsync_costs_what_was_held_back(tmp_path):
    options = disk.SlowFsync(least=2.2, most=2.5)  # a server writes all the same after 2 s
    lost = []
    with faulty(tmp_path, options, "embedded") as fault:
        for number in (1, 2):
            with Writer(fault.rig).running() as writer:
                (killed,) = fault.inject(number)
            assert isinstance(killed, Killed)
            assert killed.fsync_pending
            assert killed.delayed_fsyncs
            fault.undo(number, PATIENCE)
            here = kept(fault.rig)
            assert here >= writer.older_than(killed.at / 1000 - 3.5)
            lost.append(writer.last - here)
        longest = fault.figures()["longest_fsync"]
    assert any(lost)
    assert longest is not None
    assert longest >= 2.2


@preloaded
@pytest.mark.parametrize("number", [1, 2])
def test_writes_come_back_after_failed_fsyncs_and_a_kill_loses_none(number, tmp_path):
    with faulty(tmp_path, disk.FailedFsync(), "embedded") as fault:
        with Writer(fault.rig).running() as writer:
            fault.inject(number)
            assert fault.figures()["unmet"] == 0
            refused_at = writer.last
            told = fault.undo(number, PATIENCE)
        assert [type(one) for one in told] == [Killed, Served]
        assert kept(fault.rig) >= refused_at
        figures = fault.figures()
        assert sum(value or 0 for name, value in figures.items() if name.startswith("healed")) == 1
        assert figures["reads_refused"] == 0


@as_root
def test_a_full_disk_costs_one_client_one_write_and_names_the_jobs(tmp_path):
    with faulty(tmp_path, disk.DiskFull(), "embedded") as fault:
        uuid = "00000000-0000-4000-8000-000000000000"
        add = "redis.call('hset', 'bull:q:1', 'data', ARGV[1]); redis.call('incr', 'bull:q:id')"
        fault.rig.call("EVAL", add, 0, f'{{"uuid":"{uuid}"}}')
        with Writer(fault.rig).running() as writer:
            killed, destroyed = fault.inject(1)
            acknowledged = writer.last
            (served,) = fault.undo(1, PATIENCE)
        assert isinstance(killed, Killed)
        assert isinstance(served, Served)
        assert isinstance(destroyed, Destroyed)
        assert destroyed.uuids == ()  # its bytes are in the file
        assert kept(fault.rig) >= acknowledged - 1
        assert fault.rig.call("HGET", "bull:q:1", "data")


@as_root
def test_after_a_rewrite_a_write_that_was_cut_short_leaves_zeros_that_repair_takes_out(tmp_path):
    with faulty(tmp_path, disk.DiskFull(), "embedded") as fault, Link(fault.rig.address) as link:
        large = "redis.call('set', 'large', ARGV[1]); return redis.call('incr', 'n')"
        link.call("SET", "a", "b")  # the rest of its page has room
        filler = fault.rig.data / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        assert link.call("EVAL", large, 0, "x" * 20_000) == 1
        assert fault.refuses()
        filler.unlink()
        wait_until(lambda: not fault.refuses(), "writes to come back")
        assert link.call("EVAL", large, 0, "y") == 2
        fault.rig.kill(1)
        fault.down = True
        increment = fault.rig.increment().read_bytes()
        assert b"\r\n" + bytes(1000) in increment
        fault.undo(1, PATIENCE)
        assert fault.figures()["repaired"] == 1
        assert fault.rig.call("MGET", "large", "n") == (b"y", b"2")


@as_root
def test_a_rewrite_without_room_leaves_the_old_files_valid(tmp_path):
    with faulty(tmp_path, disk.DiskFullRewrite(), "embedded") as fault:
        with Writer(fault.rig).running() as writer:
            fault.inject(1)
            acknowledged = writer.last
            fault.undo(1, PATIENCE)
        assert kept(fault.rig) >= acknowledged
        figures = fault.figures()
        names = ("unmet", "reads_refused", "temporary_files_left", "rewrites_refused")
        assert [figures[name] for name in names] == [0, 0, 0, 0]


@preloaded
def test_after_a_step_back_of_the_clock_no_fsync_comes_until_it_is_asked_for(tmp_path):
    with faulty(tmp_path, clock.ClockStep(), "embedded") as fault:
        fault.rig.call("SET", "bull:q:stalled-check", 1, "PX", 3_700_000)
        with Writer(fault.rig).running():
            fault.inject(1)
            fault.undo(1, PATIENCE)
        figures = fault.figures()
        assert (figures["fsyncs_stopped_ahead"], figures["fsyncs_stopped_back"]) == (0, 1)
        assert figures["fsyncs_not_mended"] == 0
        assert figures["late_expiries"] == 1
