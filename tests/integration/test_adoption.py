"""What becomes of the server when `up` itself is killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sturdis.adapters.local import binaries
from sturdis.adapters.local.server_process import Adopted
from tests.integration.running import error_code, program, running, sturdis
from tests.integration.servers import wait_until

SETPRIV = pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="pidfds are Linux's")
def test_the_end_of_an_adopted_process_is_seen_though_its_parent_never_asks():
    with subprocess.Popen(["sleep", "60"]) as child:
        adopted = Adopted(child.pid)
        with pytest.raises(subprocess.TimeoutExpired):
            adopted.wait(0.01)
        adopted.kill()
        assert adopted.wait(10) == 0
        assert Path(f"/proc/{child.pid}/stat").read_text().split()[2] == "Z"
    assert adopted.wait(0) == 0


@SETPRIV
@pytest.mark.tier("embedded")
def test_when_up_is_killed_its_server_ends_with_it_and_the_next_up_starts(tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data), "--server", "embedded") as up:
        up.cli("set", "k", "v")
        server = up.server_pid
        up.process.kill()
        up.process.wait(10)
        wait_until(lambda: gone(server), "the server's end")
    with running("--data", str(data)) as again:
        assert again.cli("get", "k") == "v"


@pytest.fixture
def left_behind(tmp_path):
    """A server whose `up` was killed where the system could not end it with that."""
    unbound = "exec setpriv --pdeathsig clear --" if sys.platform == "linux" else "exec"
    server = program(tmp_path / "server", f'{unbound} {binaries.find_embedded()} "$@" <&-')
    with running("--data", str(tmp_path / "data"), "--server", server) as up:
        up.cli("set", "k", "v")
        pid = up.server_pid
        up.process.kill()
        up.process.wait(10)
        yield up, pid
    if not gone(pid):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.tier("embedded")
def test_a_server_left_behind_keeps_its_folder_and_is_offered_for_adoption(left_behind, tmp_path):
    up, pid = left_behind
    answer = sturdis("up", "--data", str(tmp_path / "data"), "--port", "0", "--metrics-port", "0")
    assert (answer.returncode, error_code(answer)) == (11, "data.locked")
    assert f"process {pid}, still runs at {up.url}" in answer.stderr
    assert f"kill {pid} lets it write and end" in answer.stderr
    assert f"do:  sturdis up --data {tmp_path / 'data'} --adopt\n" in answer.stderr
    assert sturdis("verify").returncode == 13, "an up that is gone is not found"
    assert not gone(pid)


@pytest.mark.tier("embedded")
def test_an_up_that_is_gone_is_known_by_its_lock_whoever_has_its_process_id_now(
    left_behind, tmp_path
):
    _up, pid = left_behind
    lock = tmp_path / "data" / "sturdis.lock"
    lock.write_text(json.dumps(json.loads(lock.read_text()) | {"up": os.getpid()}))
    answer = sturdis("up", "--data", str(tmp_path / "data"), "--port", "0", "--metrics-port", "0")
    assert (answer.returncode, error_code(answer)) == (11, "data.locked")
    assert f"kill {pid} lets it write and end" in answer.stderr


@pytest.mark.tier("embedded")
def test_an_adopted_server_goes_on_and_is_supervised_like_ours(left_behind, tmp_path):
    up, pid = left_behind
    with running("--data", str(tmp_path / "data"), "--adopt") as adopter:
        assert adopter.ready["url"] == up.url
        assert adopter.ready["chosen"] == "it ran already, left by an `up` that was killed"
        assert adopter.server_pid == pid
        assert adopter.cli("get", "k") == "v"
        second = sturdis("up", "--data", str(tmp_path / "data"), "--adopt")
        assert (second.returncode, error_code(second)) == (11, "data.locked")
        os.kill(pid, signal.SIGKILL)
        assert adopter.next_event("ended")
        assert adopter.next_event("serving")
        assert adopter.server_pid != pid
        assert adopter.cli("get", "k") == "v"
        assert adopter.stop() == 0


@pytest.mark.tier("embedded")
def test_an_adopted_server_is_stopped_by_its_new_up(left_behind, tmp_path):
    _up, pid = left_behind
    with running("--data", str(tmp_path / "data"), "--adopt") as adopter:
        assert adopter.stop() == 0
    assert gone(pid)


@pytest.mark.tier("embedded")
def test_a_server_that_does_not_answer_is_not_adopted(left_behind, tmp_path):
    _up, pid = left_behind
    os.kill(pid, signal.SIGSTOP)
    answer = sturdis("up", "--data", str(tmp_path / "data"), "--adopt", "--metrics-port", "0")
    assert (answer.returncode, error_code(answer)) == (11, "data.locked")
    assert f"kill {pid}" in answer.stderr
    assert not gone(pid)


@pytest.mark.tier("embedded")
def test_without_a_server_to_adopt_up_starts_one(tmp_path):
    with running("--data", str(tmp_path / "data"), "--server", "embedded", "--adopt") as up:
        assert up.ready["chosen"] == "named with --server"
