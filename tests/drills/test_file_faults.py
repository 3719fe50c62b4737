"""A damaged append-only file: what the guard and repair make of it, and what happens without."""

import json
import uuid

import pytest

from sturdis.adapters.faults import bit_flip
from sturdis.core.aof.layout import Layout, Span
from sturdis.core.drill.events import Destroyed, Killed, Served
from sturdis.core.drill.faults.files import BitFlip, BitFlips, NulTail, TornTail, VolumeLost
from sturdis.core.errors import DataError, DrillError
from tests import matrix
from tests.drills.rigs import faulty, figure
from tests.integration.running import SERVERS, sturdis

REDIS_7 = matrix.ROWS[0].server
ADD = "redis.call('incr', KEYS[2]); redis.call('hset', KEYS[1], 'data', ARGV[1])"


def add(rig, count=30):
    """Write as BullMQ does: each job by a script of several commands; give their UUIDs."""
    made = [str(uuid.uuid4()) for _ in range(count)]
    for one in made:
        rig.call("EVAL", ADD, 2, f"job:{one}", "id", json.dumps({"uuid": one}))
    return made


def there(rig, made):
    return {one for one in made if rig.call("EXISTS", f"job:{one}")}


def broken(fault, number=1):
    """Inject and undo, and give the events of each."""
    return fault.inject(number), fault.undo(number, 20)


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("options", [TornTail(most=300), NulTail(over=300)], ids=["torn", "nul"])
def test_only_jobs_in_the_missing_bytes_are_lost(options, server, tmp_path):
    with faulty(tmp_path, options, server, seed=4) as fault:
        made = add(fault.rig)
        (killed, gone), (served,) = broken(fault)
        assert [type(one) for one in (killed, gone, served)] == [Killed, Destroyed, Served]
        lost = set(gone.uuids)
        assert set() < lost < set(made)
        assert there(fault.rig, made) == set(made) - lost
        later = add(fault.rig)
        fault.rig.kill(2)
        fault.rig.start()
        assert there(fault.rig, later) == set(later)
        figures = fault.figures()
    assert (figures.get("unmet", 0), figures["left_torn"]) == (0, 0)
    assert figure(fault, "bytes_behind_the_last_unit") > 0


@pytest.mark.tier("embedded")
def test_a_file_without_a_unit_to_tear_or_to_hit_is_not_met(tmp_path):
    for name, options in (("torn", TornTail()), ("flip", BitFlip())):
        with faulty(tmp_path / name, options, "embedded") as fault:
            fault.rig.increment().write_bytes(b"")
            broken(fault)
            assert figure(fault, "unmet") == 1


@pytest.mark.tier("redis-server")
def test_without_the_guard_a_torn_tail_stays_in_the_file(tmp_path):
    with faulty(tmp_path, TornTail(most=60), REDIS_7, guarded=False) as fault:
        add(fault.rig)
        broken(fault)
        assert fault.figures()["left_torn"] == 1


@pytest.mark.tier("redis-server")
def test_without_the_guard_no_server_starts_on_zero_bytes(tmp_path):
    with faulty(tmp_path, NulTail(over=1), REDIS_7, guarded=False) as fault:
        add(fault.rig)
        fault.inject(1)
        with pytest.raises(DrillError) as refused:
            fault.undo(1, 20)
    assert refused.value.code == "drill.not_served"


@pytest.mark.parametrize("server", SERVERS)
def test_a_flipped_bit_of_the_frame_costs_one_unit(server, tmp_path):
    with faulty(tmp_path, BitFlip(), server, seed=5) as fault:
        made = add(fault.rig)
        (_killed, hit), (*_cut, served) = broken(fault)
        assert isinstance(hit, Destroyed)
        assert isinstance(served, Served)
        assert len(hit.uuids) == 1
        assert there(fault.rig, made) == set(made) - set(hit.uuids)
        figures = fault.figures()
    told = [figures[name] for name in ("untold", "repaired", "cut_whole_units", "unmet")]
    assert told == [0, 1, 0, 0]


def test_units_that_a_cut_took_beside_the_one_that_was_hit_are_counted():
    first, hit, last = (Span(at, at + 10) for at in (0, 10, 20))
    found = Layout((first, hit, last), ())
    assert [bit_flip.others_cut(found, hit, cut) for cut in (25, 10, 0)] == [1, 1, 2]
    assert bit_flip.others_cut(found, last, 22) == 0


@pytest.mark.parametrize(
    ("code", "why", "speaks"),
    [
        ("data.corrupt", "", True),
        ("data.not_writable", "no space is left", False),
        ("drill.not_served", "Bad file format reading the append only file a: make a", True),
        ("drill.not_served", "not within 30 s", False),
    ],
)
def test_only_what_is_said_of_the_bytes_counts_as_told(code, why, speaks):
    kind = DataError if code.startswith("data") else DrillError
    assert bit_flip.speaks_of_damage(kind(code, "x", why=why, do="x")) is speaks


@pytest.mark.tier("redis-server")
def test_without_the_guard_redis_loads_what_frames_its_commands_wrongly(tmp_path):
    with faulty(tmp_path, BitFlips(trials=60), REDIS_7, guarded=False) as fault:
        broken(fault)
        assert figure(fault, "untold_in_frame") > 0
    with faulty(tmp_path / "guarded", BitFlips(trials=60), REDIS_7) as fault:
        broken(fault)
        assert figure(fault, "untold_in_frame") == 0
        assert figure(fault, "frame_flips") > 0
        assert figure(fault, "unflipped_alike") == 1
        assert figure(fault, "wrong") > 0, "an increment has no checksum"
        assert sum(figure(fault, fate) for fate in ("told", "harmless", "wrong")) == 60


@pytest.mark.tier("embedded")
def test_on_an_empty_volume_a_server_starts_empty(tmp_path):
    with faulty(tmp_path, VolumeLost(), "embedded") as fault:
        made = add(fault.rig)
        (_killed, gone), (served,) = broken(fault)
        assert (gone.everything, gone.size > 1000) == (True, True)
        assert isinstance(served, Served)
        assert there(fault.rig, made) == set()
        assert fault.rig.call("GET", "id") is None


@pytest.mark.tier("redis-server")
def test_the_command_reproduces_the_loss_that_the_guard_prevents():
    asked = ("drill", "run", "torn-multi", "--server", REDIS_7, "--no-guard")
    ended = sturdis(*asked, timeout=300)  # 200 starts; with the guard: test_ci_set.py
    assert ended.stdout.startswith("fail"), ended.stderr
    assert "lost 71 of 88 cuts; expected 0" in ended.stdout
    assert ended.returncode == 1
