"""A machine that gives too little, and neighbours that are not what they seem: told plainly."""

import os
import signal
import subprocess
import sys

import pytest

from sturdis.adapters.local import signals
from sturdis.core.supervision.events import StopRequested
from tests.integration.running import STURDIS, error_code, sturdis
from tests.integration.servers import start_server

pytestmark = pytest.mark.tier("embedded")

NO_THREADS = "ulimit -s 4000000; ulimit -v 2000000"
"""A thread's stack is as long as the limit of stacks: here longer than all memory allowed."""


def test_a_signal_that_comes_twice_at_once_is_one_request():
    heard: list[StopRequested] = []
    moments = iter([10.0, 10.001, 12.0, 12.05])
    with signals.emitted(heard.append, lambda: next(moments)):
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
    terminate, interrupt = StopRequested(signal.SIGTERM), StopRequested(signal.SIGINT)
    assert heard == [terminate, terminate, interrupt]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit no address space")
def test_a_machine_without_room_for_a_thread_is_no_bug_of_ours_and_nothing_is_left(tmp_path):
    answer = subprocess.run(
        ["sh", "-c", f'{NO_THREADS}; exec "$@"', "sh", *STURDIS, "up", "--ephemeral"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (answer.returncode, error_code(answer)) == (17, "machine.exhausted")
    assert list(tmp_path.iterdir()) == []


def test_a_sentinel_is_said_to_be_one(tmp_path):
    (tmp_path / "sentinel.conf").touch()
    as_sentinel = f'exec "$0" {tmp_path}/sentinel.conf "$@" --sentinel'
    with start_server(tmp_path / "data", before=("sh", "-c", as_sentinel)) as server:
        address = f"redis://127.0.0.1:{server.port}"
        answer = sturdis("verify", address)
    assert (answer.returncode, error_code(answer)) == (13, "target.sentinel")
    assert f"sturdis cli --target {address} sentinel masters" in answer.stderr


def test_a_folder_whose_name_has_two_lines_is_refused_before_it_is_made(tmp_path):
    answer = sturdis("up", "--data", str(tmp_path / "two\nlines"))
    assert (answer.returncode, error_code(answer)) == (11, "data.not_writable")
    assert list(tmp_path.iterdir()) == []
