"""`doctor --context --heal`: a pod whose fsync failed once takes writes again."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster import deployments
from tests.cluster.deployments import POD
from tests.cluster.diagnosed import doctor, redis, restarted, server
from tests.integration.servers import wait_until

pytestmark = [pytest.mark.tier("strace"), pytest.mark.usefixtures("machine")]

LONGEST_SECONDS = 10
"""The promise: docs/adr/0055."""


@contextmanager
def disk_that_fails(pid: int) -> Iterator[None]:
    """Let the next fsync of each thread of a process fail."""
    calls = "fsync,fdatasync"
    fail = f"inject={calls}:error=EIO:when=1"
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(pid), "-e", f"trace={calls}"]
    with subprocess.Popen([*command, "-e", fail]) as tracer:
        try:
            wait_until(lambda: is_traced(pid), "strace")
            yield
        finally:
            tracer.terminate()


def is_traced(pid: int) -> bool:
    """Tell whether all threads of a process are held by a tracer."""
    told = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return not any("TracerPid:\t0\n" in status for status in told)


@pytest.mark.parametrize("release", ["7.0.15", "8.0.2"])
def test_a_failed_fsync_in_a_pod_is_told_and_healed(cluster, tmp_path, release):
    engine = f'engine: {{image: "redis:{release}"}}\n'
    with deployments.deployed(cluster, tmp_path, lines=engine) as found:
        assert redis(found, "set", "kept", "value") == "OK"
        with disk_that_fails(server(found)):
            redis(found, "set", "acknowledged", "value")
            wait_until(lambda: "MISCONF" in redis(found, "del", "nothing"), "MISCONF")
        assert "MISCONF" in redis(found, "del", "nothing"), "it stays so by itself"

        told = doctor(found).find("aof.write")
        assert "--heal" in told["do"]
        healed = found.sturdis("doctor", "--heal", "--yes", "--json")
        assert healed.returncode == 0, healed.stderr
        assert json.loads(healed.stdout)["seconds"] <= LONGEST_SECONDS

        assert redis(found, "set", "later", "value") == "OK"
        assert "aof.write" not in doctor(found).ids
        os.kill(server(found), signal.SIGKILL)
        restarted(found, 1)
        cluster.wait_ready(found.namespace, POD)
        for key in ("kept", "acknowledged", "later"):
            assert redis(found, "get", key) == "value"
