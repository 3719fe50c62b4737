import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.running import SERVERS, STURDIS, running, sturdis
from tests.integration.servers import wait_until

HEARD = [
    number
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    if signal.getsignal(number) is not signal.SIG_IGN  # as under nohup, where `up` ignores it too
]


@pytest.mark.parametrize("server", SERVERS)
def test_what_was_written_is_there_after_a_stop_and_a_start(server, tmp_path, home):
    data = tmp_path / "data"
    with running("--data", str(data), "--server", server) as up:
        assert up.cli("set", "k", "v") == "OK"
        assert up.stop() == 0
    with running("--data", str(data)) as again:
        assert again.cli("get", "k") == "v"
        assert again.ready["server"] == up.ready["server"]
        assert again.ready["chosen"] == "the one this data folder was last used with"


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("number", HEARD)
def test_a_signal_stops_it_and_lets_the_server_write(server, number, tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data), "--server", server) as up:
        up.cli("set", "k", "v")
        assert up.stop(number) == 0
    log = (data / "server.log").read_text()
    assert "bye bye" in log


@pytest.mark.parametrize("server", SERVERS)
def test_the_server_runs_with_every_setting_that_was_written(server, tmp_path):
    data = tmp_path / 'a folder with spaces, "quotes" and ü'
    with running("--data", str(data), "--server", server) as up:
        lines = (data / "redis.conf").read_text().splitlines()
        settings = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
        written = dict(settings) | {"dir": str(data), "save": ""}  # the two that are quoted
        seen = {name: up.cli("config", "get", name).split("\n", 1)[1] for name in written}
        assert seen == written
        assert len(seen) == 15


@pytest.mark.tier("embedded")
def test_a_new_data_folder_is_for_its_user_alone(tmp_path):
    data = tmp_path / "deep" / "data"
    with running("--data", str(data), "--server", "embedded"):
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "sturdis.lock").stat().st_mode) == 0o600


@pytest.mark.tier("embedded")
def test_the_default_data_folder_is_the_users(home):
    with running("--server", "embedded") as up:
        assert Path(up.ready["data"]).is_relative_to(home)
        assert Path(up.ready["data"]).name == "redis"


@pytest.mark.tier("embedded")
def test_an_ephemeral_folder_is_gone_afterwards():
    with running("--ephemeral", "--server", "embedded") as up:
        data = Path(up.ready["data"])
        assert data.is_dir()
    assert not data.exists()


@pytest.mark.tier("embedded")
def test_a_command_gets_the_address_and_its_status_is_passed_on():
    script = "import os, sys; print(os.environ['REDIS_URL']); sys.exit(7)"
    answer = sturdis(
        "up", "--ephemeral", "--server", "embedded", "--", sys.executable, "-c", script
    )
    assert answer.returncode == 7
    assert answer.stdout.startswith("redis://127.0.0.1:")
    assert answer.stdout.count("\n") == 1, "stdout belongs to the command"


@pytest.mark.tier("embedded")
def test_a_command_finds_its_own_server_and_not_another_that_runs():
    with running("--ephemeral", "--server", "embedded") as other:
        other.cli("set", "whose", "other")
        script = f"{' '.join(STURDIS)} cli get whose; {' '.join(STURDIS)} cli set whose mine"
        answer = sturdis("up", "--ephemeral", "--server", "embedded", "--", "sh", "-c", script)
        assert answer.stdout == "\nOK\n"
        assert other.cli("get", "whose") == "other"


@pytest.mark.tier("embedded")
def test_a_command_killed_by_a_signal_gives_the_status_that_a_shell_gives():
    answer = sturdis("up", "--ephemeral", "--server", "embedded", "--", "sh", "-c", "kill -9 $$")
    assert answer.returncode == 128 + 9


@pytest.mark.tier("embedded")
def test_a_signal_is_passed_to_the_command_which_decides(tmp_path):
    script = "trap 'echo told; exit 5' TERM; echo started; while :; do sleep 0.1; done"
    with subprocess.Popen(
        [*STURDIS, "up", "--ephemeral", "--server", "embedded", "--", "sh", "-c", script],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.terminate()
        assert process.stdout.read() == "told\n"
        assert process.wait(20) == 5


@pytest.mark.tier("embedded")
def test_the_banner_shows_address_metrics_and_what_to_paste():
    command = [*STURDIS, "up", "--ephemeral", "--server", "embedded"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown = ""
        while "sturdis verify" not in shown:
            shown += (line := process.stdout.readline())
            assert line, shown
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert "server   valkey 9.1" in shown
    assert "(named with --server)" in shown
    assert "PONG" in shown
    assert "redis_up 1" in shown
    assert "maxRetriesPerRequest: null" in shown
    assert "READONLY" in shown
    assert "\x1b[" not in shown, "no colour where no terminal is"


@pytest.mark.tier("embedded")
def test_both_ports_can_be_named(home):
    with running("--ephemeral", "--server", "embedded") as first:
        free = first.ready["port"], first.ready["metrics"].split(":")[2].split("/")[0]
    named = ("--port", str(free[0]), "--metrics-port", free[1])
    with running("--ephemeral", "--server", "embedded", *named) as up:
        assert up.ready["port"] == free[0]
        assert up.ready["metrics"] == f"http://127.0.0.1:{free[1]}/metrics"


@pytest.mark.tier("embedded")
def test_under_nohup_a_hangup_is_not_heard():
    command = ["nohup", *STURDIS, "up", "--json", "--ephemeral", "--server", "embedded"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGHUP)
        assert sturdis("cli", "--target", ready["url"], "ping").stdout == "PONG\n"
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.tier("embedded")
def test_a_server_that_had_to_be_killed_is_told_of(tmp_path):
    with running("--ephemeral", "--server", "embedded") as up:
        pid = int(next(x for x in up.cli("info", "server").splitlines() if "process_id" in x)[11:])
        os.kill(pid, signal.SIGSTOP)
        up.process.send_signal(signal.SIGINT)
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(20) == 10
        assert up.process.stdout is not None
        error = json.loads(up.process.stdout.read())["error"]
    assert error["what"] == "the server ended by signal 9 when it was asked to stop"


@pytest.mark.tier("embedded")
def test_a_signal_before_the_start_leaves_no_folder(tmp_path):
    slow = tmp_path / "slow-server"
    slow.write_text("#!/bin/sh\ntouch asked; exec sleep 30\n")
    slow.chmod(0o755)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with subprocess.Popen(
        [*STURDIS, "up", "--ephemeral", "--server", str(slow)],
        env={**os.environ, "TMPDIR": str(temporary)},
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_until((tmp_path / "asked").exists, "the question for the version")
        process.terminate()
        assert process.wait(20) == 130
    assert list(temporary.iterdir()) == []


@pytest.mark.tier("embedded")
def test_what_was_printed_to_nobody_does_not_end_the_server():
    command = f"{' '.join(STURDIS)} up --ephemeral --server embedded -- sturdis cli ping"
    answer = subprocess.run(
        ["bash", "-c", f"PATH={Path(sys.executable).parent}:$PATH; {command} 2>&- >/dev/full"],
        check=False,
    )
    assert answer.returncode == 15, "the command's own failure to print is passed on"
