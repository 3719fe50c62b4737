"""Bad input to `up`: one clear error, the exit code as designed, data untouched."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sturdis.adapters.local import binaries
from tests.integration.running import (
    error_code,
    program,
    running,
    sturdis,
    sturdis_of_an_ordinary_user,
)

UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
FIRST_FREE_PORT = int(UNPRIVILEGED.read_text()) if UNPRIVILEGED.exists() else 0

pytestmark = pytest.mark.tier("embedded")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")  # which name their holder
    }


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("option", ["--port", "--metrics-port"])
def test_a_taken_port_is_named_with_the_option_that_chooses_another(option, listener, tmp_path):
    answer = sturdis(
        "up",
        "--data",
        str(tmp_path / "d"),
        "--port",
        "0",
        "--metrics-port",
        "0",
        option,
        str(listener),
    )
    assert (answer.returncode, error_code(answer)) == (12, "port.taken")
    assert f"port {listener} is taken" in answer.stderr
    assert f"choose another port with {option}" in answer.stderr


def test_a_port_taken_by_a_redis_is_said_to_be(tmp_path):
    with running("--ephemeral", "--server", "embedded") as up:
        answer = sturdis("up", "--ephemeral", "--port", str(up.ready["port"]))
    assert (answer.returncode, error_code(answer)) == (12, "port.taken")
    assert "a Redis or Valkey listens on" in answer.stderr


@pytest.mark.skipif(not FIRST_FREE_PORT, reason="this system lets everyone listen on every port")
def test_a_port_of_the_system_is_refused():
    answer = sturdis_of_an_ordinary_user("up", "--ephemeral", "--port", "1")
    assert (answer.returncode, error_code(answer)) == (12, "port.refused")


def test_a_folder_in_use_is_refused_and_its_server_goes_on(tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data), "--server", "embedded") as up:
        up.cli("set", "k", "v")
        answer = sturdis("up", "--data", str(data), "--port", "0", "--metrics-port", "0")
        assert (answer.returncode, error_code(answer)) == (11, "data.locked")
        assert f"process {up.process.pid} {up.url}" in answer.stderr
        assert up.cli("get", "k") == "v"


def test_a_folder_that_may_not_be_written_is_refused(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o500)
    answer = sturdis_of_an_ordinary_user("up", "--data", str(data))
    assert (answer.returncode, error_code(answer)) == (11, "data.not_writable")
    assert stat.S_IMODE(data.stat().st_mode) == 0o500


@pytest.mark.parametrize("below", ["file", "file/deeper", "/proc/nothing/here"])
def test_a_path_that_cannot_be_a_folder_is_refused(below, tmp_path):
    (tmp_path / "file").write_text("mine")
    data = Path(below) if below.startswith("/") else tmp_path / below
    answer = sturdis("up", "--data", str(data), "--port", "0", "--metrics-port", "0")
    assert (answer.returncode, error_code(answer)) == (11, "data.not_writable")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_with_other_files_is_left_as_it_is(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "dump.rdb").write_bytes(b"REDIS0010")
    before = contents(tmp_path)
    answer = sturdis("up", "--data", str(tmp_path), "--port", "0", "--metrics-port", "0")
    assert (answer.returncode, error_code(answer)) == (11, "data.foreign")
    assert "found letters\n" in answer.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["redis.conf", "server.log"])
def test_a_users_own_file_of_the_same_name_is_not_overwritten(name, tmp_path):
    (tmp_path / name).write_text("mine")
    answer = sturdis("up", "--data", str(tmp_path), "--port", "0", "--metrics-port", "0")
    assert (answer.returncode, error_code(answer)) == (11, "data.foreign")
    assert contents(tmp_path) == {name: b"mine"}


def test_a_first_start_that_was_killed_as_it_wrote_its_record_is_no_hindrance(tmp_path):
    for name in ("up.lock", "sturdis.lock", "server.json.new"):
        (tmp_path / name).touch()
    with running("--data", str(tmp_path), "--server", "embedded") as up:
        assert up.cli("ping") == "PONG"


def test_a_first_start_that_failed_binds_the_folder_to_no_server(tmp_path):
    data = tmp_path / "data"
    embedded = binaries.find_embedded()
    bad = program(tmp_path / "bad", f'[ "$1" = --version ] && exec {embedded} --version\nexit 3')
    answer = sturdis(
        "up", "--data", str(data), "--server", bad, "--port", "0", "--metrics-port", "0"
    )
    assert (answer.returncode, error_code(answer)) == (10, "server.exited")
    with running("--data", str(data)) as up:
        assert up.ready["server_path"] != bad


def test_one_port_cannot_serve_both(listener):
    free = str(free_port())
    answer = sturdis("up", "--ephemeral", "--port", free, "--metrics-port", free)
    assert (answer.returncode, error_code(answer)) == (12, "port.taken")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_data_of_an_unknown_server_needs_the_server_named(tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data), "--server", "embedded") as up:
        up.cli("set", "k", "v")
    (data / "server.json").write_text("{")
    before = contents(data / "appendonlydir")
    answer = sturdis("up", "--data", str(data), "--port", "0", "--metrics-port", "0")
    assert (answer.returncode, error_code(answer)) == (11, "data.unknown_server")
    assert contents(data / "appendonlydir") == before
    with running("--data", str(data), "--server", "embedded") as up:
        assert up.cli("get", "k") == "v"


@pytest.mark.tier("redis-server")
def test_data_of_a_newer_product_is_refused_before_the_server_sees_it(tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data), "--server", "embedded") as up:
        up.cli("set", "k", "v")
    before = contents(data)
    answer = sturdis(
        "up", "--data", str(data), "--server", "redis-server", "--port", "0", "--metrics-port", "0"
    )
    assert (answer.returncode, error_code(answer)) == (11, "data.newer_server")
    assert "or a newer valkey" in answer.stderr
    assert contents(data) == before


@pytest.mark.tier("redis-server")
def test_data_of_redis_seven_moves_to_the_embedded_server(tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data), "--server", "redis-server") as up:
        up.cli("set", "k", "v")
    with running("--data", str(data), "--server", "embedded") as up:
        assert up.cli("get", "k") == "v"


@pytest.mark.parametrize(
    ("server", "status", "code"),
    [
        ("/nothing/here", 10, "server.missing"),
        ("no-such-server", 10, "server.missing"),
        ("/bin/cat", 10, "server.unknown"),
        ("/etc/passwd", 10, "server.missing"),
    ],
)
def test_what_is_no_server_is_refused(server, status, code):
    answer = sturdis("up", "--ephemeral", "--server", server)
    assert (answer.returncode, error_code(answer)) == (status, code)


def test_a_server_that_is_too_old_is_refused(tmp_path):
    old = program(tmp_path / "redis-server", "echo 'Redis server v=6.2.14 sha=00000000:0'")
    answer = sturdis("up", "--ephemeral", "--server", old)
    assert (answer.returncode, error_code(answer)) == (10, "server.too_old")


def test_a_server_that_cannot_start_shows_its_last_words(tmp_path):
    embedded = binaries.find_embedded()
    broken = program(tmp_path / "valkey-server", f'exec {embedded} "$@" --no-such-setting 1')
    version = program(
        tmp_path / "wrapper",
        f'[ "$1" = --version ] && exec {embedded} --version\nexec {broken} "$@"',
    )
    answer = sturdis("up", "--ephemeral", "--server", version)
    assert (answer.returncode, error_code(answer)) == (10, "server.exited")
    assert "no-such-setting" in answer.stderr


def test_a_server_that_is_gone_is_asked_for_by_its_data(tmp_path):
    embedded = binaries.find_embedded()
    server = program(tmp_path / "my-server", f'exec {embedded} "$@"')
    data = tmp_path / "data"
    with running("--data", str(data), "--server", server):
        pass
    Path(server).unlink()
    before = contents(data)
    answer = sturdis("up", "--data", str(data), "--port", "0", "--metrics-port", "0")
    assert (answer.returncode, error_code(answer)) == (10, "server.missing")
    assert "last used with this data folder" in answer.stderr
    assert contents(data) == before


def test_a_misspelt_key_of_the_spec_is_refused_with_a_suggestion(tmp_path):
    spec = tmp_path / "x.yaml"
    spec.write_text("persistance: {}\n")
    answer = sturdis("up", "--spec", str(spec))
    assert (answer.returncode, error_code(answer)) == (2, "spec.invalid")
    assert 'line 1: unknown key "persistance"; did you mean "persistence"?' in answer.stderr


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"#" * (1 << 20) + b"##"])
def test_a_spec_that_cannot_be_read_is_refused(content, tmp_path):
    spec = tmp_path / "x.yaml"
    if content is not None:
        spec.write_bytes(content)
    answer = sturdis("spec", "show", "--spec", str(spec))
    assert (answer.returncode, error_code(answer)) == (2, "spec.unreadable")


@pytest.mark.parametrize(
    "arguments",
    [
        ("up", "--port", "70000"),
        ("up", "--port", "x"),
        ("up", "--prot", "1"),
        ("up", "--ephemeral", "--data", "d"),
        ("up", "--data", ""),
        ("up", "--server", ""),
        ("up", "--bind", ""),
        ("upp",),
        ("verify", "one", "two"),
        ("cli",),
        ("spec", "shwo"),
    ],
)
def test_a_command_line_that_is_not_understood_is_refused(arguments):
    answer = sturdis(*arguments)
    assert (answer.returncode, error_code(answer)) == (2, "usage")


def test_a_command_that_is_not_there_starts_no_server(tmp_path):
    answer = sturdis("up", "--data", str(tmp_path / "data"), "--", "no-such-command")
    assert (answer.returncode, error_code(answer)) == (127, "command.not_found")
    assert not (tmp_path / "data").exists()


def test_the_users_spec_in_the_folder_is_used(tmp_path):
    (tmp_path / "sturdis.yaml").write_text("memory: {maxmemory: 100Mi}\n")
    script = "sturdis cli config get maxmemory"
    answer = subprocess.run(
        ["sh", "-c", f"sturdis up --ephemeral --server embedded -- {script}"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "maxmemory\n104857600\n"
