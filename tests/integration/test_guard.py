"""What `up` does about an append-only file before it starts a server on it."""

import contextlib
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from sturdis.adapters.local import binaries, data_folder, guard
from sturdis.core.aof.guard import MAX_CUT, Cut, Mended
from sturdis.core.aof.scan import Tail
from sturdis.core.errors import DataError
from tests.core.append_only import EXEC, MULTI, command
from tests.integration.running import SERVERS, error_code, running, sturdis
from tests.integration.servers import start_server, wait_until
from tests.integration.test_up_refuses import contents

pytestmark = pytest.mark.tier("embedded")

INCREMENT = "appendonlydir/appendonly.aof.1.incr.aof"
BASE = "appendonlydir/appendonly.aof.1.base.rdb"
MANIFEST = "appendonlydir/appendonly.aof.manifest"
SET = command(b"SET", b"later", b"v")


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Give a folder that the embedded server wrote, with 10 keys in the increment."""
    folder = tmp_path_factory.mktemp("written")
    with start_server(folder, "--appendonly", "yes", "--appendfsync", "always") as server:
        for number in range(10):
            server.call("SET", f"k{number}", "v")
    (folder / "server.log").unlink()
    return folder


@pytest.fixture
def data(written, tmp_path):
    """Give a copy of it."""
    shutil.copytree(written, tmp_path / "data")
    return tmp_path / "data"


def mend(data: Path) -> Mended | None:
    server = binaries.inspect(str(binaries.find_embedded()))
    with closing(data_folder.open_folder(data)) as folder:
        return guard.make_safe(folder, server)


def append(path: Path, content: bytes) -> int:
    """Put `content` behind a file and give the file's size before."""
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(content)
    return size


TAILS = [
    (SET[:-4], Tail.TORN_COMMAND),
    (MULTI + SET, Tail.OPEN_TRANSACTION),
    (MULTI + SET + EXEC[:-1], Tail.OPEN_TRANSACTION),
    (bytes(512), Tail.NULS),
    (MULTI + SET + bytes(4096), Tail.NULS),
]


@pytest.mark.parametrize(("tail", "kind"), TAILS)
def test_what_an_interrupted_write_left_is_cut_and_kept(tail, kind, data):
    before = (data / INCREMENT).read_bytes()
    end = append(data / INCREMENT, tail)
    kept = data / f"cut/appendonly.aof.1.incr.aof.{end}"
    cut = Cut(str(data / INCREMENT), end, len(tail), kind)
    assert mend(data) == Mended(cut, str(kept), ())
    assert (data / INCREMENT).read_bytes() == before
    assert kept.read_bytes() == tail
    assert mend(data) is None


@pytest.mark.parametrize("written_already", [b"", SET[:3], SET[:-4]])
@pytest.mark.parametrize("name", ["", ".new"])
def test_a_mend_that_was_interrupted_is_finished_by_the_next(written_already, name, data):
    end = append(data / INCREMENT, SET[:-4])
    kept = data / f"cut/appendonly.aof.1.incr.aof.{end}"
    kept.parent.mkdir()
    kept.with_name(kept.name + name).write_bytes(written_already)
    assert mend(data) is not None
    assert SET[:-4] in [path.read_bytes() for path in kept.parent.iterdir()]
    assert (data / INCREMENT).stat().st_size == end


def test_what_was_kept_before_is_not_overwritten(data):
    for tail in (SET[:-4], SET[:-5], SET[:-4]):
        append(data / INCREMENT, tail)
        mend(data)
    kept = sorted(path.read_bytes() for path in (data / "cut").iterdir())
    assert kept == [SET[:-5], SET[:-4]]


@pytest.mark.parametrize("server", SERVERS)
def test_up_tells_what_was_mended_and_later_writes_last(server, tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data), "--server", server) as up:
        up.cli("set", "k", "v")
    (data / "temp-rewriteaof-bg-7.aof").write_bytes(b"REDIS")
    (data / "appendonlydir/temp-appendonly.aof.manifest").write_bytes(b"file")
    end = append(data / INCREMENT, MULTI + SET)
    with running("--data", str(data)) as up:
        (told,) = (event for event in up.before if event["event"] == "mended")
        up.cli("set", "later", "v")
    assert told == {
        "event": "mended",
        "cut": {
            "file": str(data / INCREMENT),
            "offset": end,
            "size": len(MULTI + SET),
            "tail": "open_transaction",
        },
        "kept": f"{data}/cut/appendonly.aof.1.incr.aof.{end}",
        "removed": [
            f"{data}/temp-rewriteaof-bg-7.aof",
            f"{data}/appendonlydir/temp-appendonly.aof.manifest",
        ],
    }
    with running("--data", str(data)) as up:
        assert "mended" not in {event["event"] for event in up.before}
        assert up.cli("mget", "k", "later") == "v\nv"


def test_people_are_told_on_stderr(data):
    end = append(data / INCREMENT, bytes(10))
    free = ("--port", "0", "--metrics-port", "0", "--server", "embedded")
    answer = sturdis("up", "--data", str(data), *free, "--", "true")
    first, second, _ready = answer.stderr.splitlines()
    path = data / INCREMENT
    assert first == (
        f"sturdis: cut 10 bytes off {path} at byte {end}: zero bytes, as a power cut leaves them"
    )
    assert second == f"sturdis: they are kept in {data}/cut/{path.name}.{end}"


def corrupt_in_the_middle(data: Path) -> None:
    content = (data / INCREMENT).read_bytes()
    (data / INCREMENT).write_bytes(content.replace(b"$2\r\nk5", b"$9\r\nk5"))


def torn_for_long(data: Path) -> None:
    append(data / INCREMENT, bytes(MAX_CUT + 1))


def torn_before_the_last(data: Path) -> None:
    append(data / INCREMENT, SET[:-4])
    (data / "appendonlydir/next").write_bytes(SET)
    append(data / MANIFEST, b"file next seq 2 type i\n")


def without_the_increment(data: Path) -> None:
    (data / INCREMENT).unlink()


def without_the_base(data: Path) -> None:
    (data / BASE).unlink()


def base_emptied(data: Path) -> None:
    (data / BASE).write_bytes(b"")


def manifest_unreadable(data: Path) -> None:
    append(data / MANIFEST, b"file a seq")


def without_the_manifest(data: Path) -> None:
    (data / MANIFEST).unlink()


def base_of_the_future(data: Path) -> None:
    content = (data / BASE).read_bytes()
    (data / BASE).write_bytes(content.replace(b"VALKEY080", b"REDIS0012"))


def snapshot_only(data: Path) -> None:
    shutil.rmtree(data / "appendonlydir")
    (data / "dump.rdb").write_bytes(b"REDIS0010")


def single_file(data: Path) -> None:
    shutil.rmtree(data / "appendonlydir")
    (data / "appendonly.aof").write_bytes(SET)


REFUSED = [
    (corrupt_in_the_middle, "data.corrupt"),
    (torn_for_long, "data.long_tail"),
    (torn_before_the_last, "data.torn_earlier"),
    (without_the_increment, "data.missing_file"),
    (without_the_base, "data.missing_file"),
    (base_emptied, "data.corrupt"),
    (manifest_unreadable, "data.manifest"),
    (without_the_manifest, "data.manifest"),
    (base_of_the_future, "data.newer_server"),
    (snapshot_only, "data.rdb_only"),
    (single_file, "data.single_file"),
]


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize(("damage", "code"), REFUSED)
def test_what_cannot_be_mended_is_refused_and_left_as_it_is(damage, code, remembered, data):
    if remembered:
        with running("--data", str(data), "--server", "embedded"):
            pass
    damage(data)
    before = contents(data)
    free = ("--port", "0", "--metrics-port", "0")
    answer = sturdis("up", "--data", str(data), "--server", "embedded", *free)
    assert (answer.returncode, error_code(answer)) == (11, code)
    conf = {"redis.conf": None}  # written for the server that was to start
    assert contents(data) | conf == before | conf


def test_the_last_whole_byte_can_be_cut_to_as_the_refusal_says(data):
    data = data.rename(data.with_name("a folder; with 'signs'"))
    torn_for_long(data)
    with pytest.raises(DataError) as refused:
        mend(data)
    pasted = refused.value.do.split("`")[1]
    assert pasted.startswith("truncate ")
    subprocess.run(["sh", "-c", pasted], check=True, cwd=data.parent)
    assert mend(data) is None
    assert list(data.parent.iterdir()) == [data], "no other file is met"


@pytest.mark.parametrize("server", SERVERS)
def test_a_first_start_that_was_killed_is_no_damage(server, tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data), "--server", server):
        pass
    (data / MANIFEST).unlink()
    with running("--data", str(data)) as up:
        assert up.cli("dbsize") == "0"


def test_a_folder_from_production_needs_its_server_named_and_then_runs(data):
    shutil.copy(data / BASE, data / "dump.rdb")
    free = ("--port", "0", "--metrics-port", "0")
    assert error_code(sturdis("up", "--data", str(data), *free)) == "data.unknown_server"
    with running("--data", str(data), "--server", "embedded") as up:
        assert up.cli("dbsize") == "10"


def test_a_snapshot_is_brought_over_as_the_refusal_says(tmp_path):
    data = tmp_path / "data"
    with start_server(data) as server:
        server.call("SET", "k", "v")
        server.call("SAVE")
    (data / "server.log").unlink()
    with pytest.raises(DataError, match="snapshot"):
        mend(data)
    with start_server(data) as server:
        server.call("CONFIG", "SET", "appendonly", "yes")
        wait_until(lambda: server.info("persistence")["aof_rewrite_in_progress"] == "0", "rewrite")
        with contextlib.suppress(Exception):
            server.call("SHUTDOWN")
    (data / "server.log").unlink()
    with running("--data", str(data), "--server", "embedded") as up:
        assert up.cli("get", "k") == "v"


@pytest.mark.parametrize("server", SERVERS)
def test_the_base_that_a_server_writes_is_one_that_it_reads(server, tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data), "--server", server):
        pass
    copied = tmp_path / "copied"
    shutil.copytree(data / "appendonlydir", copied / "appendonlydir")
    with running("--data", str(copied), "--server", server):
        pass
