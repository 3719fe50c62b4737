"""The undo journal on disk, and the runs that it is kept with."""

import os
import subprocess
from pathlib import Path

import pytest

from sturdis.adapters.drill import run_store, undo_journal, undo_steps
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.core.drill import undo
from sturdis.core.drill.undo import (
    EndProcess,
    RemoveFolder,
    ResumeProcess,
    RunCommand,
    SetConfiguration,
)
from sturdis.core.errors import DrillError
from tests.integration.servers import LOOPBACK, start_server, wait_until


@pytest.fixture
def sleeper():
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def open_steps(folder: Path) -> list[undo.Step]:
    left = undo.still_open((folder / undo_journal.NAME).read_bytes())
    return [one.step for one in left]


def test_a_step_is_on_disk_before_it_is_done_and_undone_at_the_end(tmp_path, sleeper):
    step = EndProcess(sleeper.pid, undo_steps.started(sleeper.pid))
    with Journal(tmp_path) as journal:
        journal.note(step)
        assert open_steps(tmp_path) == [step]
        assert sleeper.poll() is None
    assert sleeper.wait(10) == -9
    assert open_steps(tmp_path) == []


def test_what_a_server_left_to_a_child_ends_with_it(tmp_path):
    shell = ["sh", "-c", "sleep 600 & echo $!; wait"]
    with subprocess.Popen(shell, stdout=subprocess.PIPE, start_new_session=True) as server:
        assert server.stdout is not None
        child = int(server.stdout.readline())
        with Journal(tmp_path) as journal:
            journal.note(EndProcess(server.pid, undo_steps.started(server.pid)))
        assert server.wait(10) == -9
    wait_until(lambda: undo_steps.started(child) == "", "its child has ended")


def test_a_process_that_has_the_pid_by_now_is_left_alone(tmp_path, sleeper):
    with Journal(tmp_path) as journal:
        journal.note(EndProcess(sleeper.pid, "another time"))
        journal.note(ResumeProcess(sleeper.pid, ""))
    assert sleeper.poll() is None


def test_one_that_has_ended_and_was_not_waited_for_is_gone(sleeper):
    assert undo_steps.started(sleeper.pid)
    os.kill(sleeper.pid, 9)
    wait_until(lambda: undo_steps.started(sleeper.pid) == "", "it has ended")


def test_a_step_that_fails_keeps_no_other_from_being_undone_and_stays_open(tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    failing = RunCommand(("false",))
    run = tmp_path / "runs/one"
    journal = Journal(run)
    journal.note(RemoveFolder(str(made)))
    journal.note(failing)
    with pytest.raises(DrillError) as refused:
        journal.close()
    assert refused.value.code == "drill.not_undone"
    assert not made.exists()
    assert open_steps(run) == [failing]
    assert undo_journal.left_behind(run.parent) == (run,)


def test_a_line_that_nobody_understands_is_told_and_the_rest_is_undone(tmp_path):
    run, made = tmp_path / "runs/one", [tmp_path / name for name in "ab"]
    for folder in made:
        folder.mkdir()
    run.mkdir(parents=True)
    path = run / undo_journal.NAME
    steps = [undo.encode(undo.Noted(n, RemoveFolder(str(made[n])))) for n in range(2)]
    path.write_bytes(b"garbage\n".join(steps))
    assert undo_journal.left_behind(run.parent) == (run,)
    with pytest.raises(DrillError) as refused:
        Journal(run).close()
    assert refused.value.code == "drill.log_damaged"
    assert f"line 2 of the undo journal {path}" in refused.value.what
    assert f"remove {path}" in refused.value.do
    assert not any(folder.exists() for folder in made)
    path.unlink()
    assert undo_journal.left_behind(run.parent) == ()


def test_undoing_twice_is_harmless(tmp_path):
    run = tmp_path / "runs/one"
    for _time in range(2):
        with Journal(run) as journal:
            journal.note(RemoveFolder(str(tmp_path / "never made")))
    assert undo_journal.left_behind(run.parent) == ()


def test_what_a_torn_line_said_was_not_done_and_the_next_line_is_whole(tmp_path):
    with Journal(tmp_path) as journal:
        journal.note(RemoveFolder(str(tmp_path / "a")))
    path = tmp_path / undo_journal.NAME
    path.write_bytes(path.read_bytes() + b'{"entry":"noted","numb')
    with Journal(tmp_path) as journal:
        step = RemoveFolder(str(tmp_path / "b"))
        journal.note(step)
        assert open_steps(tmp_path) == [step]


def test_a_journal_is_of_one_process_at_a_time(tmp_path):
    with Journal(tmp_path), pytest.raises(DrillError) as refused:
        Journal(tmp_path)
    assert refused.value.code == "drill.running"
    Journal(tmp_path).close()


@pytest.mark.tier("embedded")
def test_a_setting_is_what_it_was(tmp_path):
    with start_server(tmp_path / "data") as server:
        server.call("CONFIG", "SET", "maxmemory", "1mb")
        address = f"redis://{LOOPBACK}:{server.port}"
        with Journal(tmp_path) as journal:
            journal.note(SetConfiguration(address, "maxmemory", "0"))
        assert server.call("CONFIG", "GET", "maxmemory") == (b"maxmemory", b"0")


def test_the_last_runs_are_kept_and_those_with_something_to_undo():
    left = run_store.new_folder("left", 0)
    with pytest.raises(DrillError), Journal(left) as journal:
        journal.note(RunCommand(("false",)))
    made = [run_store.new_folder("drill", number) for number in range(run_store.KEPT + 3)]
    kept = sorted(path for path in run_store.home().iterdir() if path.is_dir())
    assert kept == [left, *made[-run_store.KEPT :]]
    with pytest.raises(DrillError) as refused:
        run_store.refuse_left_behind()
    assert refused.value.code == "drill.left_behind"
