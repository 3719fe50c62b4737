"""`sturdis copy`: what it leaves out, what it leaves behind, and what it refuses."""

import contextlib
import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import platformdirs
import pytest

from sturdis.adapters.local.aof_copy import CopyFolder
from sturdis.adapters.redis.link import Link
from sturdis.adapters.redis.rewriting import RewritingServer
from sturdis.core import address as addresses
from sturdis.core.aof import copying
from sturdis.core.aof.copying import Origin
from sturdis.core.aof.manifest import Manifest
from sturdis.core.errors import DataError, TargetError
from sturdis.core.servers import Server as Program
from tests.core.append_only import MULTI, command
from tests.integration.running import SERVERS, STURDIS, error_code, running, sturdis
from tests.integration.servers import Server, start_server, wait_until

pytestmark = pytest.mark.tier("embedded")

AOF = ("--appendonly", "yes", "--enable-debug-command", "yes")
TWO_WRITES = "redis.call('set', KEYS[1], 'v'); redis.call('incr', 'count')"


def copy(target: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return sturdis("copy", str(folder), "--target", target, "--json")


def url(server: Server) -> str:
    return f"redis://127.0.0.1:{server.port}"


def keeps_history(server: Server) -> str:
    reply = server.call("CONFIG", "GET", "aof-disable-auto-gc")
    assert isinstance(reply, tuple)
    return str(reply[1], "ascii")


@contextlib.contextmanager
def writing(target: str):
    """Write two keys at a time until the block ends; gives how many pairs were acknowledged."""
    acknowledged, over = [0], threading.Event()

    def write() -> None:
        with Link(addresses.parse(target)) as link:
            while not over.is_set():
                link.call("EVAL", TWO_WRITES, 1, f"k{acknowledged[0]}")
                acknowledged[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until(lambda: acknowledged[0] > 100, "100 writes")
        yield lambda: acknowledged[0]
    finally:
        over.set()
        writer.join()


@pytest.mark.parametrize("server", SERVERS)
def test_a_copy_under_load_holds_all_that_was_acknowledged_before(server, tmp_path):
    with running("--data", str(tmp_path / "data"), "--server", server) as up:
        with writing(up.url) as acknowledged:
            before = acknowledged()
            answer = copy(up.url, tmp_path / "copy")
            assert answer.returncode == 0, answer
            after = acknowledged()
        assert after > before
        assert up.cli("config", "get", "aof-disable-auto-gc").endswith("no")
    with running("--data", str(tmp_path / "copy")) as copied:
        count = int(copied.cli("get", "count"))
        assert before <= count <= after + 1
        assert int(copied.cli("dbsize")) == count + 1, "each pair of writes is there as a whole"
        assert copied.ready["server"] == up.ready["server"]
        assert "mended" not in {event["event"] for event in copied.before}


@pytest.mark.parametrize("program", SERVERS)
def test_a_copy_of_a_server_at_rest_has_the_same_digest(program, tmp_path):
    with start_server(tmp_path / "data", *AOF, server=program) as server:
        for number in range(100):
            server.call("HSET", f"h{number % 7}", f"f{number}", "v" * number)
        server.call("EVAL", TWO_WRITES, 1, "k")
        answer = copy(url(server), tmp_path / "copy")
        digest = server.call("DEBUG", "DIGEST")
    told = json.loads(answer.stdout)
    assert told["left_out"] == 0
    assert sorted(told["files"]) == sorted(
        path.name for path in (tmp_path / "copy/appendonlydir").iterdir()
    )
    with start_server(tmp_path / "copy", *AOF, server=program) as server:
        assert server.call("DEBUG", "DIGEST") == digest


@contextlib.contextmanager
def slow_rewrite(folder: Path):
    """Run a server whose rewrites do not end, and a copy that waits for one."""
    with start_server(folder / "data", *AOF) as server:
        for number in range(10):
            server.call("SET", f"k{number}", "v")
        server.call("CONFIG", "SET", "rdb-key-save-delay", 10_000_000)
        arguments = ("copy", str(folder / "copy"), "--target", url(server))
        with subprocess.Popen([*STURDIS, *arguments], stderr=subprocess.PIPE) as process:
            try:
                wait_until(
                    lambda: server.info("persistence")["aof_rewrite_in_progress"] == "1", "rewrite"
                )
                yield server, process
            finally:
                process.kill()
                process.communicate()


def end_rewrite(server: Server) -> None:
    """Kill the process that rewrites."""
    children = f"/proc/{server.process.pid}/task/{server.process.pid}/children"
    for child in Path(children).read_text().split():
        os.kill(int(child), signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_copy_that_is_interrupted_leaves_nothing_and_puts_the_setting_back(number, tmp_path):
    with slow_rewrite(tmp_path) as (server, process):
        assert keeps_history(server) == "yes"
        process.send_signal(number)
        assert process.wait(20) == 130
        assert keeps_history(server) == "no"
        assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_what_a_killed_copy_left_is_mended_by_the_next(tmp_path):
    with slow_rewrite(tmp_path) as (server, process):
        process.kill()
        process.wait()
        assert keeps_history(server) == "yes"
        assert {path.name for path in tmp_path.iterdir()} == {"data", ".copy.copying"}
        server.call("CONFIG", "SET", "rdb-key-save-delay", 0)
        end_rewrite(server)
        assert copy(url(server), tmp_path / "copy").returncode == 0
        assert keeps_history(server) == "no"
        assert {path.name for path in tmp_path.iterdir()} == {"data", "copy"}


def test_a_setting_that_was_on_stays_on(tmp_path):
    with start_server(tmp_path / "data", *AOF, "--aof-disable-auto-gc", "yes") as server:
        assert copy(url(server), tmp_path / "copy").returncode == 0
        assert keeps_history(server) == "yes"


def test_two_copies_to_one_folder_do_not_meet(tmp_path):
    with slow_rewrite(tmp_path) as (server, process):
        answer = sturdis("copy", str(tmp_path / "copy"), "--target", url(server))
        assert (answer.returncode, error_code(answer)) == (11, "data.locked")
        assert (tmp_path / ".copy.copying/appendonlydir").is_dir(), "the first goes on"
        assert process.poll() is None


def test_two_copies_of_one_server_do_not_meet(tmp_path):
    with slow_rewrite(tmp_path) as (server, process):
        answer = sturdis("copy", str(tmp_path / "other"), "--target", url(server))
        assert (answer.returncode, error_code(answer)) == (11, "data.locked")
        assert keeps_history(server) == "yes", "the first goes on"
        assert process.poll() is None
        assert {path.name for path in tmp_path.iterdir()} == {"data", ".copy.copying"}


def test_a_server_that_ends_under_a_copy_is_told_and_nothing_is_left(tmp_path):
    with slow_rewrite(tmp_path) as (server, process):
        server.process.kill()
        assert process.wait(20) == 13
        assert {path.name for path in tmp_path.iterdir()} == {"data"}
        assert list((platformdirs.user_state_path("sturdis") / "copying").iterdir()) == []


def test_a_rewrite_that_fails_is_told(tmp_path):
    with slow_rewrite(tmp_path) as (server, process):
        end_rewrite(server)
        assert process.wait(20) == 13
        assert process.stderr is not None
        assert b"error[target.rewrite_failed]" in process.stderr.read()
        assert keeps_history(server) == "no"


def test_a_rewrite_between_reading_and_copying_takes_nothing_away(tmp_path):
    with start_server(tmp_path / "data", *AOF) as server:
        server.call("SET", "k", "v")
        rewriting = RewritingServer(addresses.parse(url(server)))
        files = CopyFolder(tmp_path / "copy")
        origin = rewriting.origin()
        with files.unfinished(), rewriting.keeping_history():
            manifest = files.manifest(origin)
            rewriting.rewrite(lambda _step: None)
            assert files.manifest(origin).loaded != manifest.loaded
            left_out = files.copy(origin, manifest, lambda _step: None)
            copying.require_kept(manifest, files.manifest(origin))
            files.finish(origin, manifest, left_out)
        wait_until(
            lambda: {one.name for one in files.manifest(origin).entries}.isdisjoint(
                {one.name for one in manifest.entries}
            ),
            "the files that were replaced go",
        )
    with start_server(tmp_path / "copy", *AOF) as server:
        assert server.call("GET", "k") == b"v"


def of(data: Path) -> Origin:
    program = Program("valkey", (9, 1, 2), "/nowhere")
    return Origin("redis://somewhere", f"{data}/appendonlydir", "appendonly.aof.manifest", program)


@pytest.fixture
def data(tmp_path):
    with start_server(tmp_path / "data", *AOF) as server:
        server.call("SET", "k", "v")
    return tmp_path / "data"


INCREMENT = "appendonlydir/appendonly.aof.1.incr.aof"


def copied_by_hand(data: Path) -> copying.Copied:
    files = CopyFolder(data.parent / "copy")
    with files.unfinished():
        manifest = files.manifest(of(data))
        left_out = files.copy(of(data), manifest, lambda _step: None)
        return files.finish(of(data), manifest, left_out)


def test_a_write_that_is_under_way_is_left_out(data):
    whole = (data / INCREMENT).read_bytes()
    torn = MULTI + command(b"SET", b"x", b"y" * (2 << 20))
    (data / INCREMENT).write_bytes(whole + torn)
    copied = copied_by_hand(data)
    assert (copied.left_out, copied.server) == (len(torn), None)
    assert (data.parent / "copy" / INCREMENT).read_bytes() == whole
    with running("--data", copied.folder, "--server", "embedded") as up:
        assert up.cli("get", "k") == "v"


@pytest.mark.parametrize("name", [INCREMENT, "appendonlydir/appendonly.aof.1.base.rdb"])
def test_damage_is_not_copied(name, data):
    content = (data / name).read_bytes()
    (data / name).write_bytes(content[:-9] + b"x" + content[-8:])
    with pytest.raises(DataError) as refused:
        copied_by_hand(data)
    assert refused.value.code == "data.corrupt"
    assert {path.name for path in data.parent.iterdir()} == {"data"}


def test_files_that_another_server_left_at_the_same_path_are_told(data):
    manifest = CopyFolder(data.parent / "copy").manifest(of(data))
    with pytest.raises(TargetError) as refused:
        copying.require_rewritten(of(data), manifest, manifest)
    assert refused.value.code == "target.files_elsewhere"


def test_files_that_were_removed_while_they_were_copied_are_told(data):
    manifest = CopyFolder(data.parent / "copy").manifest(of(data))
    with pytest.raises(DataError) as refused:
        copying.require_kept(manifest, Manifest(manifest.entries[1:]))
    assert refused.value.code == "data.changed"
