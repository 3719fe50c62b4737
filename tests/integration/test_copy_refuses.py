"""What `sturdis copy` refuses: one clear error, nothing written, the server as it was."""

import os

import pytest

from tests.integration.running import error_code, sturdis, sturdis_of_an_ordinary_user
from tests.integration.servers import start_server
from tests.integration.test_copy import AOF, copy, keeps_history, url

pytestmark = pytest.mark.tier("embedded")


def test_what_is_in_the_way_is_left_as_it_is(tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/mine").write_text("mine")
    with start_server(tmp_path / "data", *AOF) as server:
        answer = sturdis("copy", str(tmp_path / "copy"), "--target", url(server))
        assert (answer.returncode, error_code(answer)) == (11, "data.not_empty")
        (tmp_path / "copy/mine").unlink()
        assert copy(url(server), tmp_path / "copy").returncode == 0, "an empty folder is none"


def test_a_server_without_an_append_only_file_is_told(tmp_path):
    with start_server(tmp_path / "data") as server:
        answer = sturdis("copy", str(tmp_path / "copy"), "--target", url(server))
    assert (answer.returncode, error_code(answer)) == (13, "target.no_aof")
    assert f"sturdis cli --target {url(server)} config set appendonly yes" in answer.stderr


def test_files_that_are_not_at_hand_are_told(tmp_path):
    with start_server(tmp_path / "data", *AOF) as server:
        (tmp_path / "data/appendonlydir").rename(tmp_path / "moved")
        answer = sturdis("copy", str(tmp_path / "copy"), "--target", url(server))
    assert (answer.returncode, error_code(answer)) == (13, "target.files_elsewhere")
    assert not (tmp_path / "copy").exists()


def test_files_that_may_not_be_read_are_told(tmp_path):
    with start_server(tmp_path / "data", *AOF) as server:
        (tmp_path / "data/appendonlydir/appendonly.aof.manifest").chmod(0)
        answer = sturdis_of_an_ordinary_user(
            "copy", str(tmp_path / "copy"), "--target", url(server)
        )
    assert (answer.returncode, error_code(answer)) == (13, "target.files_elsewhere")
    assert "Permission denied" in answer.stderr


def test_a_user_who_may_not_configure_is_told(tmp_path):
    with start_server(tmp_path / "data", *AOF) as server:
        server.call("ACL", "SETUSER", "default", "-config")
        answer = sturdis("copy", str(tmp_path / "copy"), "--target", url(server))
    assert (answer.returncode, error_code(answer)) == (13, "target.not_allowed")


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("mine")
    with start_server(tmp_path / "data", *AOF) as server:
        answer = sturdis("copy", str(tmp_path / "file/copy"), "--target", url(server))
    assert (answer.returncode, error_code(answer)) == (11, "data.not_writable")


def test_a_folder_for_notes_that_cannot_be_written_is_told_before_anything_is_changed(tmp_path):
    (tmp_path / "file").write_text("mine")
    environ = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "file/state")}
    with start_server(tmp_path / "data", *AOF) as server:
        answer = sturdis("copy", str(tmp_path / "copy"), "--target", url(server), env=environ)
        assert (answer.returncode, error_code(answer)) == (11, "data.not_writable")
        assert keeps_history(server) == "no"
    assert {path.name for path in tmp_path.iterdir()} == {"data", "file"}
