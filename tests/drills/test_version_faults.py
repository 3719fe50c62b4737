"""Another version of the server on the same data: let at it, or refused before it is touched."""

import tempfile
from pathlib import Path

import pytest

from sturdis.adapters.faults import trials
from sturdis.adapters.faults.on_rig import come
from sturdis.adapters.faults.trials import Trial, Written
from sturdis.adapters.local import binaries
from sturdis.core.drill.faults.version import ServerDowngrade, ServerUpgrade
from sturdis.core.drill.rig_plan import RigPlan
from sturdis.core.errors import DrillError
from tests import matrix
from tests.drills.rigs import faulty, figure, rigged

REDIS_7, REDIS_8, VALKEY_8, VALKEY_9 = (str(row.server) for row in matrix.ROWS)

pytestmark = [pytest.mark.tier(row.tier) for row in matrix.ROWS]


@pytest.mark.parametrize(
    ("old", "new"),
    [(REDIS_7, REDIS_8), (REDIS_7, VALKEY_8), (REDIS_7, VALKEY_9), (VALKEY_8, VALKEY_9)],
    ids=["7.0-8.0", "7.0-v8.1", "7.0-v9.1", "v8.1-v9.1"],
)
def test_a_newer_server_has_all_that_the_older_one_left(old, new, tmp_path):
    with faulty(tmp_path, ServerUpgrade(to=new), old) as fault:
        before = fault.rig.server
        fault.rig.call("SET", "a", "b")
        fault.inject(1)
        assert fault.rig.call("GET", "a") == b"b"
        assert fault.rig.server.path == new != before.path
        fault.undo(1, 20)
        assert fault.rig.call("GET", "a") == b"b"
        figures = fault.figures()
    assert (figures["moved"], figures["not_loaded"], figures["unmet"]) == (1, 0, 0)


def test_a_newer_server_that_does_not_load_the_data_is_counted(tmp_path):
    with faulty(tmp_path, ServerUpgrade(to=VALKEY_9), VALKEY_8) as fault:
        fault.rig.call("SET", "a", "b")
        fault.rig.configure(no_such_setting="1")
        fault.inject(1)
        fault.rig.configure()
        fault.undo(1, 20)
        assert fault.rig.call("GET", "a") == b"b"
        figures = fault.figures()
    assert (figures["moved"], figures["not_loaded"]) == (0, 1)


@pytest.mark.parametrize(
    ("new", "old"),
    [(REDIS_8, REDIS_7), (VALKEY_8, REDIS_7), (VALKEY_9, VALKEY_8), (REDIS_8, VALKEY_9)],
    ids=["8.0-7.0", "v8.1-7.0", "v9.1-v8.1", "8.0-v9.1"],
)
def test_a_server_that_cannot_read_the_data_does_not_touch_it(new, old, tmp_path):
    with faulty(tmp_path, ServerDowngrade(to=old), new) as fault:
        fault.rig.call("SET", "a", "b")
        fault.inject(1)
        fault.undo(1, 20)
        assert fault.rig.call("GET", "a") == b"b"
        figures = fault.figures()
    told = [figures[name] for name in ("turned_away", "untold", "changed_files", "unmet")]
    assert told == [2, 0, 0, 0]


def test_a_server_that_is_let_at_the_data_is_counted_with_what_it_changed(tmp_path):
    with faulty(tmp_path, ServerDowngrade(to=VALKEY_8), VALKEY_9, guarded=False) as fault:
        fault.rig.call("SET", "a", "b")
        fault.inject(1)
        figures = fault.figures()
        fault.undo(1, 20)
    assert (figures["turned_away"], figures["untold"], figures["unmet"]) == (1, 1, 0)
    assert figure(fault, "changed_files") > 0


@pytest.mark.parametrize(
    ("options", "server"),
    [(ServerUpgrade(to=VALKEY_9), REDIS_8), (ServerDowngrade(to=REDIS_8), REDIS_7)],
    ids=["up", "down"],
)
def test_where_no_such_server_is_here_that_is_said(options, server, tmp_path):
    with pytest.raises(DrillError) as lacking, faulty(tmp_path, options, server):
        pass
    assert lacking.value.code == "drill.lacking"
    assert "looked at: " in lacking.value.why


@pytest.mark.parametrize("preamble", ["yes", "no"])
@pytest.mark.parametrize(
    ("new", "old"),
    [(REDIS_8, REDIS_7), (VALKEY_9, VALKEY_8), (REDIS_8, VALKEY_9)],
    ids=["8.0-7.0", "v9.1-v8.1", "8.0-v9.1"],
)
def test_an_older_server_loads_what_bullmq_wrote_once_the_base_is_no_rdb(
    new, old, preamble, tmp_path
):
    settings = {"aof-use-rdb-preamble": preamble}
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as home,
        rigged(tmp_path, RigPlan(server=new, settings=settings)) as rig,
    ):
        trials.write(rig, tmp_path / "load")
        first = rig.increment()
        rig.call("BGREWRITEAOF")
        assert come(lambda: rig.increment() != first, 20)
        assert come(lambda: rig.info()["aof_rewrite_in_progress"] == "0", 20)
        keys = rig.call("DBSIZE")
        rig.stop()
        last = rig.increment()
        left = Written(binaries.inspect(old), last.parent, last.name, last.read_bytes())
        with Trial(left, left.increment, Path(home), guarded=False) as trial:
            if preamble == "no":
                with trial.life() as life:
                    loaded = life.call("DBSIZE")
                    assert isinstance(loaded, int)
                    assert isinstance(keys, int)
                    assert 0 < loaded <= keys  # locks expire
            else:
                with pytest.raises(DrillError), trial.life():
                    pass
