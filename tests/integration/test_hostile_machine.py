"""A machine that gives too little, and neighbours that are not what they seem: told plainly."""

import os
import subprocess
import sys

import pytest

from tests.integration.running import STURDIS, error_code, sturdis
from tests.integration.servers import start_server

pytestmark = pytest.mark.tier("embedded")

NO_THREADS = "ulimit -s 4000000; ulimit -v 2000000"
"""A thread's stack is as long as the limit of stacks: here longer than all memory allowed."""


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
