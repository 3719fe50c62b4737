"""A server of a drill's own: started, killed, started again, and nothing of it left."""

import os

import pytest

from sturdis.adapters.drill import rig_parts, undo_journal, undo_steps
from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.core.drill import undo
from sturdis.core.drill.rig_plan import RigPlan
from sturdis.core.errors import DataError, DrillError, ServerError, TargetError
from tests import matrix
from tests.drills.rigs import rigged
from tests.integration.running import SERVERS

EMBEDDED = RigPlan(server="embedded")
HALF = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n"


@pytest.mark.parametrize("server", SERVERS)
def test_what_was_written_is_there_after_a_kill_and_a_start(server, tmp_path):
    with rigged(tmp_path, RigPlan(server=server)) as rig:
        before = rig.pid
        rig.call("SET", "a", "b")
        killed = rig.kill(4)
        with pytest.raises(TargetError):
            rig.call("GET", "a")
        served = rig.start()
        assert rig.call("GET", "a") == b"b"
        assert (killed.pid, killed.round) == (before, 4)
        assert (served.pid, served.round) == (rig.pid, 4)
        assert served.at >= killed.at
    assert not undo_steps.started(rig.pid)


@pytest.mark.tier("embedded")
def test_it_runs_with_the_settings_of_a_deployment_and_those_laid_over(tmp_path):
    plan = RigPlan(server="embedded", settings={"appendfsync": "always"})
    with rigged(tmp_path, plan) as rig:
        assert rig.call("CONFIG", "GET", "appendfsync") == (b"appendfsync", b"always")
        assert rig.call("CONFIG", "GET", "maxmemory-policy")[1] == b"noeviction"  # type: ignore[index]
        rig.configure(key_load_delay="7")
        rig.kill(1)
        rig.start()
        assert rig.call("CONFIG", "GET", "key-load-delay") == (b"key-load-delay", b"7")
        assert rig.call("CONFIG", "GET", "appendfsync") == (b"appendfsync", b"always")


@pytest.mark.tier("embedded")
@pytest.mark.parametrize("guarded", [True, False])
def test_the_guard_cuts_before_a_start_unless_it_is_left_out(guarded, tmp_path):
    with rigged(tmp_path, RigPlan(server="embedded", guarded=guarded)) as rig:
        rig.call("SET", "a", "b")
        rig.kill(1)
        with rig.increment().open("ab") as file:
            file.write(HALF)
        rig.start()
        assert rig.call("GET", "a") == b"b"
        cuts = [one.cut.size for one in rig.mended if one.cut]
    assert cuts == ([len(HALF)] if guarded else [])


@pytest.mark.tier("embedded")
def test_what_the_guard_refuses_is_not_started(tmp_path):
    with rigged(tmp_path, EMBEDDED) as rig:
        rig.call("SET", "a", "b")
        rig.kill(1)
        rig.increment().write_bytes(b"damaged" + rig.increment().read_bytes())
        with pytest.raises(DataError) as refused:
            rig.start()
    assert refused.value.code == "data.corrupt"


@pytest.mark.tier("embedded")
def test_a_server_that_ends_by_itself_is_told_of_with_its_own_words(tmp_path):
    plan = RigPlan(server="embedded", settings={"no-such-setting": "1"})
    with pytest.raises(DrillError) as ended, rigged(tmp_path, plan):
        pass
    assert ended.value.code == "drill.not_served"
    assert "no-such-setting" in ended.value.why


@pytest.mark.tier("embedded")
def test_a_server_that_does_not_serve_in_time_is_told_of(tmp_path):
    with rigged(tmp_path, EMBEDDED) as rig:
        entry = rig.freeze()
        with pytest.raises(DrillError) as silent:
            rig.wait_until_served(0.05)
        assert silent.value.code == "drill.not_served"
        assert entry


def test_a_server_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ServerError) as missing, rigged(tmp_path, RigPlan(server="/no/server")):
        pass
    assert missing.value.code == "server.missing"


@pytest.mark.tier("embedded")
@pytest.mark.tier("redis-server")
def test_a_server_that_cannot_read_the_data_is_refused_as_up_does(tmp_path):
    redis = matrix.ROWS[0].server
    with rigged(tmp_path, EMBEDDED) as rig:
        rig.kill(1)
        with pytest.raises(DataError) as refused:
            rig.use(redis)
        rig.start()
        assert rig.server.product == "valkey"
    assert refused.value.code == "data.newer_server"


@pytest.mark.tier("embedded")
def test_a_rig_that_was_left_is_ended_by_its_journal(tmp_path):
    journal = Journal(tmp_path)
    rig = Rig(EMBEDDED, tmp_path / "rig", journal)
    rig.start()
    noted = undo.still_open(journal.path.read_bytes())
    assert [one.step.pid for one in noted if isinstance(one.step, undo.EndProcess)] == [rig.pid]
    assert not undo_journal.left_behind(tmp_path.parent)  # somebody holds it
    journal.close()
    with pytest.raises(TargetError):
        rig.call("PING")
    rig.__exit__()
    assert not undo_steps.started(rig.pid)
    assert not undo_journal.left_behind(tmp_path.parent)


@pytest.mark.tier("embedded")
def test_two_rigs_run_beside_each_other(tmp_path):
    with rigged(tmp_path / "one", EMBEDDED) as one, rigged(tmp_path / "two", EMBEDDED) as two:
        one.call("SET", "a", "1")
        two.kill(1)
        assert one.call("GET", "a") == b"1"
        assert one.address != two.address


def test_its_port_is_none_that_the_system_gives_to_connections():
    low = int(rig_parts.PORT_RANGE.read_text().split()[0])
    assert all(rig_parts.LOWEST_PORT <= rig_parts.port() < low for _ in range(20))


@pytest.mark.tier("embedded")
def test_stopped_gently_it_ends_with_status_0(tmp_path):
    with rigged(tmp_path, EMBEDDED) as rig:
        assert rig.stop() == 0


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts and limits")


@pytest.mark.tier("embedded")
@as_root
def test_a_small_disk_is_there_as_long_as_the_rig(tmp_path):
    with rigged(tmp_path, RigPlan(server="embedded", small_disk=8)) as rig:
        assert os.path.ismount(rig.data)
        size = os.statvfs(rig.data)
        assert size.f_blocks * size.f_frsize == 8 << 20
    assert not os.path.ismount(rig.data)


@pytest.mark.tier("embedded")
@as_root
def test_what_was_on_a_small_disk_is_kept_with_the_servers_log(tmp_path):
    with rigged(tmp_path, RigPlan(server="embedded", small_disk=8)) as rig:
        rig.call("SET", "a", "b")
        rig.stop()
        written = rig.increment().read_bytes()
    assert written.endswith(b"b\r\n")
    assert rig.increment().read_bytes() == written
    assert (rig.data / "server.log").stat().st_size > 0
    assert not list(rig.data.parent.glob("*.kept"))


@pytest.mark.tier("embedded")
@as_root
def test_a_small_disk_whose_data_cannot_be_kept_is_taken_away_all_the_same(tmp_path):
    with rigged(tmp_path, RigPlan(server="embedded", small_disk=8)) as rig:
        rig.data.with_name("data.kept").write_bytes(b"in the way")
    assert not os.path.ismount(rig.data)


@pytest.mark.tier("embedded")
def test_a_limit_of_files_is_one_that_the_server_cannot_raise(tmp_path):
    with rigged(tmp_path, RigPlan(server="embedded", file_limit=256)) as rig:
        assert rig.call("CONFIG", "GET", "maxclients") == (b"maxclients", b"224")


@pytest.mark.tier("embedded")
@as_root
def test_a_limit_of_memory_is_the_kernels(tmp_path):
    limit = 64 << 20
    with rigged(tmp_path, RigPlan(server="embedded", memory_limit=limit)) as rig:
        assert rig.group is not None
        _root, setting = rig_parts.memory_controller()
        assert int((rig.group / setting).read_text()) == limit
        assert str(rig.pid) in (rig.group / "cgroup.procs").read_text().split()
    assert not rig.group.exists()
