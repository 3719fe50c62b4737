"""The library between a server and the system: what it records, and what its switches do."""

import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from sturdis.adapters.faults import power, shim
from sturdis.adapters.faults.shim import Kind, Shim, Word
from sturdis.core.drill.rig_plan import RigPlan
from tests.drills.rigs import rigged
from tests.integration.running import SERVERS
from tests.integration.servers import wait_until

pytestmark = pytest.mark.tier("compiler")

PARTS = "appendonlydir"
INCREMENT = f"{PARTS}/appendonly.aof.1.incr.aof"


class Program:
    """Runs lines of Python in a data folder, with the shim between them and the system."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        (self.data / PARTS).mkdir(parents=True)
        self.shim = Shim(folder / "shim", self.data)

    def run(self, lines: str) -> str:
        environ = {**os.environ, **self.shim.environ()}
        text = f"import os, time\nname = {INCREMENT!r}\n{lines}"
        command = [sys.executable, "-S", "-c", text]
        ended = subprocess.run(
            command, cwd=self.data, env=environ, capture_output=True, text=True, check=False
        )
        assert not ended.stderr, ended.stderr
        return ended.stdout.strip()

    def covered(self, name: str = INCREMENT) -> int:
        stat = (self.data / name).stat()
        return self.shim.covered()[stat.st_dev, stat.st_ino].synced


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311  nothing is kept secret by it


@pytest.fixture
def preloaded(tmp_path):
    made = Program(tmp_path)
    yield made
    made.shim.close()


WRITE = """
file = os.open(name, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
os.write(file, bytes(600)); os.fdatasync(file); os.write(file, bytes(400))
"""


def test_what_an_fsync_covered_is_known(preloaded):
    before = time.time()
    preloaded.run(WRITE)
    assert preloaded.covered() == 600
    (known,) = preloaded.shim.covered().values()
    assert known.increment
    assert known.under_way is None
    assert before <= known.began <= time.time()
    assert preloaded.shim.count(Word.COMPLETED) == 1


def test_a_file_that_was_made_shorter_is_covered_no_further(preloaded):
    preloaded.run(WRITE + "os.ftruncate(file, 100); os.write(file, bytes(900))")
    assert preloaded.covered() == 100


def test_a_file_that_was_emptied_is_not_covered(preloaded):
    preloaded.run(WRITE + "open(name, 'w').write('anew')")
    assert preloaded.covered() == 0


def test_files_elsewhere_are_none_of_its_business(preloaded, tmp_path):
    preloaded.shim.fail(1)
    preloaded.run(f"name = {str(tmp_path / 'x.incr.aof')!r}" + WRITE)
    assert not preloaded.shim.covered()
    assert preloaded.shim.count(Word.FAILURES) == 1


def test_so_many_fsyncs_of_increments_fail_as_was_asked_for(preloaded):
    preloaded.shim.fail(2)
    told = preloaded.run("""
for name in ("appendonlydir/appendonly.aof.1.base.rdb", name, name, name):
    file = os.open(name, os.O_CREAT | os.O_WRONLY)
    try:
        os.fdatasync(file)
        print(0)
    except OSError as error:
        print(error.errno)
""")
    assert [int(one) for one in told.split()] == [0, errno.EIO, errno.EIO, 0]
    assert (preloaded.shim.count(Word.FAILED), preloaded.shim.count(Word.FAILURES)) == (2, 0)


def test_what_a_failed_fsync_was_to_cover_is_not_covered(preloaded):
    preloaded.shim.fail(1)
    preloaded.run("""
file = os.open(name, os.O_CREAT | os.O_WRONLY)
os.write(file, bytes(10))
try:
    os.fsync(file)
except OSError:
    pass
""")
    assert preloaded.covered() == 0


def test_an_fsync_takes_as_long_as_was_asked_for_and_is_seen_under_way(preloaded):
    preloaded.shim.slow_down(0.2, 0.3, seed=1)
    took = float(
        preloaded.run("began = time.monotonic()" + WRITE + "print(time.monotonic()-began)")
    )
    assert took >= 0.2
    assert 0.2 <= preloaded.shim.longest_fsync() <= took


def test_a_slow_fsync_ends_when_the_disk_is_fast_again(preloaded):
    preloaded.shim.slow_down(600, 600, seed=1)
    environ = {**os.environ, **preloaded.shim.environ()}
    text = f"import os\nname = {INCREMENT!r}\n{WRITE}"
    running = subprocess.Popen([sys.executable, "-c", text], cwd=preloaded.data, env=environ)
    wait_until(preloaded.shim.under_way, "the fsync")
    assert preloaded.covered() == 0
    preloaded.shim.slow_down(0, 0, seed=1)
    assert running.wait(60) == 0
    assert preloaded.covered() == 600


def test_the_clock_is_another_and_the_monotonic_one_is_not(preloaded):
    asked = "print(time.time(), time.clock_gettime(time.CLOCK_REALTIME), time.monotonic())"
    preloaded.shim.set_clock(-3600)
    *clocks, monotonic = map(float, preloaded.run(asked).split())
    assert all(abs(time.time() - 3600 - clock) < 60 for clock in clocks)
    assert abs(time.monotonic() - monotonic) < 60


def test_what_a_killed_program_had_under_way_is_over(preloaded):
    preloaded.shim.slow_down(600, 600, seed=1)
    environ = {**os.environ, **preloaded.shim.environ()}
    command = [sys.executable, "-S", "-c", f"import os\nname = {INCREMENT!r}\n{WRITE}"]
    running = subprocess.Popen(command, cwd=preloaded.data, env=environ)
    wait_until(preloaded.shim.under_way, "the fsync")
    running.kill()
    running.wait()
    assert preloaded.shim.longest_fsync() > 0
    (preloaded.data / INCREMENT).unlink()
    preloaded.shim.settle(durable=False)
    assert not preloaded.shim.under_way()
    assert preloaded.shim.longest_fsync() == 0


RENAME = """
os.rename(name, name + ".new")
open(name, 'w').write('second')
os.rename(name, name + ".new")
os.unlink(name + ".new")
"""


def test_changes_of_names_can_be_taken_back_until_their_folder_is_synced(preloaded):
    (preloaded.data / INCREMENT).write_text("first")
    preloaded.run(RENAME)
    changes = preloaded.shim.changes()
    kinds = [Kind.RENAMED, Kind.MADE, Kind.RENAMED, Kind.REMOVED]
    assert [one.kind for one in changes] == kinds
    assert [one.kept is not None for one in changes] == [False, False, True, True]
    preloaded.run("os.fsync(os.open('appendonlydir', os.O_RDONLY))")
    assert not preloaded.shim.changes()
    assert [path.name for path in (preloaded.data.parent / "shim").iterdir()] == ["shim"]


def test_a_power_cut_takes_changes_of_names_back_in_their_order(tmp_path):
    found = set()
    for seed in range(25):
        program = Program(tmp_path / str(seed))
        increment = program.data / INCREMENT
        increment.write_text("first")
        program.run(RENAME)
        power.cut(program.data, program.shim, dice(seed))
        names = sorted(path.name.rpartition(".aof")[2] for path in increment.parent.iterdir())
        new = increment.with_name(increment.name + ".new")
        first = [path for path in (increment, new) if path.exists() and path.read_text() == "first"]
        found.add((*names, *(path.suffix for path in first)))
        assert not program.shim.changes()
        program.shim.close()
    assert found == {
        ("", ".aof"),  # as it was
        (".new", ".new"),  # renamed
        ("", ".new", ".new"),  # and another was made
        (".new",),  # which took its place
        (),  # and was removed
    }


def test_a_power_cut_keeps_what_was_covered_and_any_part_of_the_rest(tmp_path):
    sizes, zeros = set(), 0
    for seed in range(12):
        program = Program(tmp_path / str(seed))
        increment = program.data / INCREMENT
        program.run(WRITE.replace("bytes(", "b'x' * (") + "\nos.fsync(os.open('.', 0))")
        took = power.cut(program.data, program.shim, dice(seed))
        left = increment.read_bytes()
        kept = left.rstrip(b"\0")
        assert kept == b"x" * len(kept)
        assert 600 <= len(kept) <= len(left) <= 1000
        assert (took.lost, took.unsynced) == (1000 - len(kept), 400)
        assert program.covered() == len(left)  # nothing but what is on the disk is there now
        sizes.add(len(left))
        zeros += left != kept
        program.shim.close()
    assert len(sizes) > 4
    assert 0 < zeros < 12


def test_what_no_fsync_ever_covered_is_counted_as_well(preloaded):
    preloaded.run("open(name, 'w').write('x' * 5000); os.fsync(os.open('.', 0))")
    took = power.cut(preloaded.data, preloaded.shim, dice(1))
    assert took.unsynced == 5000
    assert took.lost == 5000 - len((preloaded.data / INCREMENT).read_bytes().rstrip(b"\0"))


def test_jobs_are_at_stake_that_no_fsync_covered_and_gone_with_their_bytes(tmp_path):
    uuid = "00000000-0000-4000-8000-000000000000"
    seen: set[str] = set()
    for seed in range(8):
        program = Program(tmp_path / str(seed))
        program.run(f"""open(name, 'w').write('{{"uuid":"{uuid}"}}'); os.fsync(os.open('.', 0))""")
        took = power.cut(program.data, program.shim, dice(seed))
        assert took.at_stake == 1
        assert took.jobs == ((uuid,) if took.lost else took.jobs)
        seen.update(took.jobs)
        program.shim.close()
    assert seen == {uuid}


def test_a_power_cut_right_after_another_takes_nothing_more(preloaded):
    preloaded.run(WRITE)
    power.cut(preloaded.data, preloaded.shim, dice(1))
    left = [path.read_bytes() for path in (preloaded.data / PARTS).iterdir()]
    assert power.cut(preloaded.data, preloaded.shim, dice(2)) == power.Took(0, 0, (), 0)
    assert [path.read_bytes() for path in (preloaded.data / PARTS).iterdir()] == left


@pytest.mark.parametrize("server", SERVERS)
def test_it_is_in_every_server_of_the_matrix(server, tmp_path):
    with rigged(tmp_path, RigPlan(server=server, preload=True)) as rig:
        assert rig.shim
        assert not shim.missing(rig.server.path)
        rig.call("SET", "a", "b")
        size = rig.increment().stat()
        covered = lambda: rig.shim.covered()[size.st_dev, size.st_ino].synced  # noqa: E731
        wait_until(lambda: covered() == size.st_size, "the next fsync")
        rig.shim.set_clock(3600)
        ahead = int(rig.call("TIME")[0]) - time.time()  # type: ignore[index, arg-type]
        assert 3500 < ahead < 3700


def test_a_program_that_is_not_there_lacks_it(tmp_path):
    assert not shim.missing(sys.executable)
    assert "No such file" in shim.missing(str(tmp_path / "nothing"))


@pytest.mark.tier("busybox")
def test_a_program_without_a_dynamic_linker_lacks_it():
    busybox = shutil.which("busybox")
    assert busybox
    assert "linked statically" in shim.missing(busybox)
