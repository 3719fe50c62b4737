"""`up` as a kubelet: what ended is started again, what hangs is replaced, and people are told."""

import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sturdis.adapters.local import binaries, data_folder, ports, probe
from sturdis.adapters.local.host import LocalHost
from sturdis.core import notices
from sturdis.core.notices import Notice
from sturdis.core.supervision.limits import Limits
from sturdis.flows import up as flow
from tests.integration.running import SERVERS, STURDIS, Up, program, running, sturdis
from tests.integration.servers import wait_until


@pytest.mark.parametrize("server", SERVERS)
def test_a_killed_server_is_back_with_its_data_and_the_restart_is_told(server, tmp_path):
    data = ("--data", str(tmp_path / "data"), "--server", server)
    with running(*data) as up:
        up.cli("set", "k", "v")
        for _round in range(3):
            os.kill(up.server_pid, signal.SIGKILL)
            ended = up.next_event("ended")
            assert (ended["event"], ended["status"], ended["wait"]) == ("ended", -9, 0)
            assert up.next_event("serving")["seconds"] > 0
            assert up.cli("get", "k") == "v"
            wait_until(lambda: serves_for(up, 1), "a second of serving", seconds=5)
        assert up.stop() == 0


def serves_for(up: Up, seconds: int) -> bool:
    return int(up.info("server")["uptime_in_seconds"]) > seconds


@pytest.mark.tier("embedded")
def test_a_server_that_was_told_to_shut_down_is_started_again_as_in_a_pod():
    with running("--ephemeral", "--server", "embedded") as up:
        sturdis("cli", "--target", up.url, "shutdown")
        assert up.next_event("ended")["status"] == 0
        assert up.next_event("serving")
        assert up.cli("ping") == "PONG"


@pytest.mark.tier("embedded")
def test_people_are_told_on_standard_error(tmp_path):
    script = """
        kill -9 $(sturdis cli info server | tr -d '\\r' | sed -n s/process_id://p)
        until sturdis cli ping >/dev/null 2>&1; do :; done
    """
    answer = sturdis(
        "up", "--ephemeral", "--server", "embedded", "--", "sh", "-c", script, env=with_sturdis()
    )
    assert answer.returncode == 0
    assert "sturdis: the server ended by signal 9; it is started again now\n" in answer.stderr
    assert "sturdis: the server serves again, after 0." in answer.stderr


def with_sturdis() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.mark.tier("embedded")
def test_a_server_that_cannot_start_again_is_tried_after_growing_waits(tmp_path):
    embedded = binaries.find_embedded()
    broken = tmp_path / "broken"
    server = program(
        tmp_path / "server",
        f'[ "$1" != --version ] && [ -e {broken} ] && echo mend me && exit 3\nexec {embedded} "$@"',
    )
    with running("--data", str(tmp_path / "data"), "--server", server) as up:
        up.cli("set", "k", "v")
        broken.touch()
        os.kill(up.server_pid, signal.SIGKILL)
        assert up.next_event("ended")["status"] == -9
        second = up.next_event("ended")
        assert (second["event"], second["status"], second["wait"]) == ("ended", 3, 1)
        assert second["last_words"].endswith("mend me")
        broken.unlink()
        assert up.next_event("serving")
        assert up.cli("get", "k") == "v"


@pytest.mark.tier("embedded")
def test_a_stop_while_it_waits_to_start_again_is_heard_at_once(tmp_path):
    embedded = binaries.find_embedded()
    broken = tmp_path / "broken"
    server = program(
        tmp_path / "server",
        f'[ "$1" != --version ] && [ -e {broken} ] && exit 3\nexec {embedded} "$@"',
    )
    with running("--data", str(tmp_path / "data"), "--server", server) as up:
        broken.touch()
        os.kill(up.server_pid, signal.SIGKILL)
        while up.next_event("ended")["wait"] < 2:
            pass
        assert up.stop() == 0


@pytest.mark.tier("embedded")
def test_a_server_that_hangs_is_replaced(tmp_path):
    folder = data_folder.open_folder(tmp_path / "data")
    embedded = binaries.find_embedded()
    assert embedded is not None
    place = probe.Place(ports.LOOPBACK, ports.claim(0, option="port"), folder.conf)
    conf = f"bind {place.host}\nport {place.port}\ndir {folder.path}\nappendonly yes\n"
    folder.write_conf(conf)
    host = LocalHost(binaries.inspect(embedded), folder, place, every=0.1)
    told: list[Notice] = []
    serving_again = threading.Event()

    def tell(notice: Notice) -> None:
        told.append(notice)
        if isinstance(notice, notices.Answers):  # stands for Ready: the flow is run without one
            os.kill(int(probe.server_info(place)["process_id"]), signal.SIGSTOP)
        if isinstance(notice, notices.ServesAgain):
            serving_again.set()

    limits = Limits(start=20, stop=0.2, probe=0.1, silent_probes=3)
    command = ("sh", "-c", f"while [ ! -e {tmp_path}/done ]; do sleep 0.05; done")
    run = flow.Run(limits, command)
    thread = threading.Thread(
        target=flow.run, args=(host, run, lambda: notices.Answers("+PONG"), tell), daemon=True
    )
    thread.start()
    assert serving_again.wait(20), told
    (tmp_path / "done").touch()
    thread.join(20)
    folder.close()
    assert [type(one) for one in told] == [
        notices.Answers,
        notices.Silent,
        notices.Ended,
        notices.ServesAgain,
    ]
    assert told[2] == notices.Ended(-9, 0.0, told[2].last_words)  # type: ignore[union-attr]


@pytest.fixture
def slow_to_load(tmp_path):
    """A folder with much data, and a server that takes its time to load it."""
    data = tmp_path / "data"
    with running("--data", str(data), "--server", "embedded") as up:
        up.cli("eval", "for i=1,20000 do redis.call('set', 'k'..i, 'v'..i) end", "0")
        up.cli("bgrewriteaof")
        wait_until(lambda: up.info("persistence")["aof_rewrite_in_progress"] == "0", "the rewrite")
    slowly = "--key-load-delay 50 --loading-process-events-interval-bytes 1024"
    script = f'[ "$1" = --version ] || set -- "$@" {slowly}\nexec {binaries.find_embedded()} "$@"'
    return data, program(tmp_path / "slow-server", script)


@pytest.mark.tier("embedded")
def test_loading_is_told_in_bytes_until_the_server_serves(slow_to_load):
    data, server = slow_to_load
    with running("--data", str(data), "--server", server) as up:
        shares = [event["loaded"] / event["total"] for event in up.before]
        assert {event["event"] for event in up.before} == {"loading"}
        assert shares == sorted(shares)
        assert shares[0] < 0.5 < shares[-1] <= 1


@pytest.mark.tier("embedded")
def test_on_a_terminal_loading_is_a_progress_bar(slow_to_load):
    data, server = slow_to_load
    ours, theirs = pty.openpty()
    free = ("--port", "0", "--metrics-port", "0")
    command = [*STURDIS, "up", "--data", str(data), "--server", server, *free, "--", "true"]
    with subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL) as process:
        os.close(theirs)
        shown = b""
        while part := read(ours):
            shown += part
        assert process.wait(20) == 0
    os.close(ours)
    assert b"loading 2" in shown
    assert b"[##" in shown
    assert b"100%" in shown


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux' way to say that the other side is closed
        return b""
