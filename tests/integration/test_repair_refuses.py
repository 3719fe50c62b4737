"""What `sturdis repair` refuses: one clear error, nothing touched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import matrix
from tests.integration import damaged
from tests.integration.damaged import BASE, INCREMENT, PARTS
from tests.integration.running import error_code, running, sturdis, sturdis_of_an_ordinary_user
from tests.integration.servers import start_server

pytestmark = pytest.mark.tier("embedded")
EMBEDDED = matrix.ROWS[3].server


@pytest.fixture(scope="module")
def hurt(tmp_path_factory):
    """A damaged folder, to be copied."""
    return damaged.damaged(tmp_path_factory.mktemp("hurt") / "data", EMBEDDED)


@pytest.fixture
def data(hurt, tmp_path):
    path = tmp_path / "data"
    for name, content in damaged.contents(hurt).items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def refused(path: Path, *options: str) -> str:
    """Give the code that the command ended with; nothing is touched, and it exits as its family."""
    before = damaged.contents(path.parent)
    answer = sturdis("repair", str(path), "--yes", *options)
    assert damaged.contents(path.parent) == before
    assert answer.returncode in (10, 11), answer
    return error_code(answer)


def test_a_folder_that_is_not_there(tmp_path):
    assert refused(tmp_path / "nowhere") == "data.no_folder"


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    assert refused(tmp_path / "file") == "data.no_folder"


def test_a_folder_of_another_program(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/postgresql.conf").write_text("mine")
    assert refused(tmp_path / "data") == "data.no_aof"
    (tmp_path / "data" / PARTS).mkdir()
    (tmp_path / "data" / PARTS / "notes").write_text("mine")
    assert refused(tmp_path / "data") == "data.no_aof"


def test_the_folder_of_the_files_alone_is_told_which_one_is_meant(data):
    answer = sturdis("repair", str(data / PARTS))
    assert error_code(answer) == "data.no_aof"
    assert f"sturdis repair {data}\n" in answer.stderr


@pytest.mark.parametrize(
    ("name", "code"), [("dump.rdb", "rdb_only"), ("appendonly.aof", "single_file")]
)
def test_data_in_another_form(name, code, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).write_bytes(b"REDIS0011")
    assert refused(tmp_path / "data") == f"data.{code}"


def test_a_folder_that_a_running_up_uses(tmp_path):
    with running("--data", str(tmp_path / "data")):
        answer = sturdis("repair", str(tmp_path / "data"), "--yes")
    assert (answer.returncode, error_code(answer)) == (11, "data.locked")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell who has a file open")
def test_a_folder_that_a_server_of_somebody_else_uses(tmp_path):
    with start_server(tmp_path / "data", "--appendonly", "yes"):
        answer = sturdis("repair", str(tmp_path / "data"), "--yes")
    assert (answer.returncode, error_code(answer)) == (11, "data.locked")
    assert "why: process " in answer.stderr


def test_a_folder_that_may_not_be_read(data):
    (data / INCREMENT).chmod(0)
    answer = sturdis_of_an_ordinary_user("repair", str(data), "--yes")
    assert (answer.returncode, error_code(answer)) == (11, "data.not_readable")


def test_a_folder_that_may_not_be_written_shows_its_plan_all_the_same(data):
    (data / PARTS).chmod(0o500)
    answer = sturdis_of_an_ordinary_user("repair", str(data), "--yes")
    assert (answer.returncode, error_code(answer)) == (11, "data.not_writable")
    dry = sturdis_of_an_ordinary_user("repair", str(data), "--dry-run")
    assert dry.returncode == 0, dry
    (data / PARTS).chmod(0o700)


def test_a_place_for_the_copy_that_is_taken(data, tmp_path):
    (tmp_path / "kept").mkdir()
    assert refused(data, "--keep", str(tmp_path / "kept")) == "data.not_empty"


def test_a_server_that_is_not_there(data):
    assert refused(data, "--server", "/nowhere/redis-server") == "server.missing"


def test_a_program_that_is_no_server(data):
    assert refused(data, "--server", "/bin/sh") == "server.unknown"


@pytest.mark.tier("redis-server")
def test_a_server_that_is_too_old_for_the_base(data):
    (data / BASE).write_bytes(b"VALKEY080" + (data / BASE).read_bytes()[9:])
    assert refused(data, "--server", matrix.ROWS[0].server) == "data.newer_server"


def _in_a_small_disk(folder: Path, size: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script with a file system of `size` at `folder`, which only it sees."""
    mount = f'mount -t tmpfs -o size={size} none "$1" && {script}'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", str(folder)]
    environ = os.environ | {"PYTHON": sys.executable}
    return subprocess.run(
        command, capture_output=True, text=True, env=environ, timeout=60, check=False
    )


@pytest.mark.tier("mounts")
def test_a_disk_without_room_for_the_copy(data, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    repair = '"$PYTHON" -m sturdis repair "$1/data" --yes; code=$?; ls "$1"; exit $code'
    script = f'cp -r {data} "$1/data" && {repair}'
    answer = _in_a_small_disk(disk, "8m", script)
    assert (answer.returncode, answer.stdout) == (11, "data\n"), answer
    assert "error[data.no_room]" in answer.stderr


@pytest.mark.tier("mounts")
def test_a_disk_without_room_to_prove_it(data, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    increment = data / INCREMENT
    increment.write_bytes(increment.read_bytes() * 200)
    script = f'TMPDIR="$1" "$PYTHON" -m sturdis repair {data} --yes'
    before = damaged.contents(data)
    answer = _in_a_small_disk(disk, "300k", script)
    assert answer.returncode == 11, answer
    assert "error[data.no_room]" in answer.stderr
    assert damaged.contents(data) == before
