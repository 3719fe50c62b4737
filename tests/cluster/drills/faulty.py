"""The deployment that faults happen to, at the address that clients are given."""

import contextlib
import json
import os
import secrets
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sturdis.adapters.drill_cluster import marks
from sturdis.adapters.kubernetes.api import Cluster as Api
from sturdis.adapters.kubernetes.port_forward import PortForward
from sturdis.adapters.redis.link import Link
from sturdis.core import info as infos
from sturdis.core.address import Address
from sturdis.core.cluster import POD, Ref
from sturdis.core.drill.events import Event, Killed, Served
from sturdis.core.drill.observed import Figures
from sturdis.core.ports import REDIS_PORT
from sturdis.core.render import metadata
from tests.cluster.clusters import Cluster
from tests.cluster.deployments import Deployed

NAMESPACE = "redis"
NAME = "redis-0"
SECRET = "redis-auth"
SPEC = f"namespace: {NAMESPACE}\n"
ENGINE = 'engine: {image: "redis:8.0.2"}\n'
"""The server, where the lines of a test name none."""

TORN = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$4\r\ndo"
"""A transaction as a kill leaves it at the end of the file: no server loads it as a whole, and some
append to it."""


def now() -> int:
    """Give the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Faulty:
    """A deployment that runs, seen from here through a forwarded port."""

    deployed: Deployed
    local: Address
    password: str | None = None

    def apply(self, lines: str = "") -> None:
        """Bring it to the spec with more lines to it, and return when it serves."""
        self.deployed.file.write_text(SPEC + ("" if "engine:" in lines else ENGINE) + lines)
        done = self.deployed.sturdis("apply", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr

    def status(self) -> Any:
        """Give what the kubelet tells of the server's container."""
        pod = self.deployed.get("pod", NAME)
        (found,) = (one for one in pod["status"]["containerStatuses"] if one["name"] == "redis")
        return found

    def uid(self) -> str:
        """Give what tells this pod from others of its name."""
        return str(self.deployed.get("pod", NAME)["metadata"]["uid"])

    def says(self, *words: str) -> str:
        """Send a command from the container itself, whose variables hold the password."""
        command = ("exec", NAME, "-c", "redis", "--", "redis-cli", "--no-auth-warning", *words)
        return self.deployed.kubectl(*command)

    def log(self) -> str:
        """Give what the server's container has said since its last start."""
        return self.deployed.kubectl("logs", NAME, "-c", "redis")


@contextlib.contextmanager
def marked_node(redis: Faulty) -> Iterator[str]:
    """Mark the server's node for drills, and give its name."""
    cluster = redis.deployed.cluster
    node = str(redis.deployed.get("pod", NAME)["spec"]["nodeName"])
    cluster.kubectl("label", "node", node, f"{marks.LABEL}={marks.ALLOWED}", "--overwrite")
    try:
        yield node
    finally:
        cluster.kubectl("label", "node", node, f"{marks.LABEL}-")


class TornAndKilled:
    """A fault: its server, a process of this machine's own nodes, ended with SIGKILL as it writes.

    Half a transaction is left at the end of its file each time.
    """

    def __init__(self, faulty: Faulty) -> None:
        self._faulty = faulty
        self._restarts = 0

    def prepare(self) -> None:
        """Count the restarts until now."""
        self._restarts = self._faulty.status()["restartCount"]

    def inject(self, number: int) -> Sequence[Event]:
        """Look at its fsyncs, stop it, tear its file's end, and end it."""
        pid = self._pid()
        info = self._info()
        os.kill(pid, signal.SIGSTOP)
        killed = Killed(
            now(), number, pid,
            delayed_fsyncs=int(info["aof_delayed_fsync"]),
            fsync_pending=info["aof_pending_bio_fsync"] != "0",
        )  # fmt: skip
        self._tear()
        os.kill(pid, signal.SIGKILL)
        return (killed,)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Return when its container was started again and is ready."""
        restarts = "{.status.containerStatuses[?(@.name=='redis')].restartCount}"
        deployed, timeout = self._faulty.deployed, f"--timeout={seconds:.0f}s"
        again = f"--for=jsonpath={restarts}={self._restarts + number}"
        deployed.kubectl("wait", f"pod/{NAME}", again, timeout)
        deployed.kubectl("wait", f"pod/{NAME}", "--for=condition=Ready", timeout)
        return (Served(now(), number, self._pid()),)

    def figures(self) -> Figures:
        """Give none: the test looks itself."""
        return {}

    def _info(self) -> dict[str, str]:
        with Link(self._faulty.local) as link:
            reply = link.call("INFO", "persistence")
        assert isinstance(reply, bytes)
        return dict(infos.parse(reply.decode()))

    def _tear(self) -> None:
        octal = "".join(f"\\{byte:03o}" for byte in TORN)
        script = f"for last in /data/appendonlydir/*.incr.aof; do :; done; printf '{octal}' >>$last"
        self._faulty.deployed.kubectl("exec", NAME, "-c", "redis", "--", "sh", "-c", script)

    def _pid(self) -> int:
        uid = self._faulty.uid()
        (pid,) = (pid for pid in _servers() if uid in Path(f"/proc/{pid}/cgroup").read_text())
        return pid


def _servers() -> Iterator[int]:
    """Give the processes of servers on this machine, also those in containers."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if (folder / "comm").read_text().strip() == "redis-server":
                yield int(folder.name)


@contextlib.contextmanager
def faulty(
    cluster: Cluster, folder: Path, lines: str = "", *, password: bool = False
) -> Iterator[Faulty]:
    """Apply the default spec, with more lines to it, and take it away again."""
    with ExitStack() as parts:
        parts.enter_context(cluster.namespace(NAMESPACE))
        cluster.kubectl("label", "namespace", NAMESPACE, f"{marks.LABEL}={marks.ALLOWED}")
        word = _make_secret(cluster) if password else None
        if password:
            lines += f"access: {{passwordSecret: {SECRET}}}\n"
        deployed = Deployed(cluster, NAMESPACE, folder / "sturdis.yaml", (word,) if word else ())
        api = parts.enter_context(Api(cluster.context))
        forward = parts.enter_context(PortForward(api, Ref(POD, NAME, NAMESPACE), REDIS_PORT))
        found = Faulty(deployed, Address("", path=forward.path, password=word), word)
        found.apply(lines)
        yield found


def _make_secret(cluster: Cluster) -> str:
    keys = (metadata.PASSWORD_KEY, metadata.EXPORTER_KEY, metadata.STURDIS_KEY)
    words = {key: secrets.token_hex(12) for key in keys}
    meta = {"name": SECRET}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": words}
    cluster.kubectl("create", "-n", NAMESPACE, "-f", "-", given=json.dumps(secret))
    return words[metadata.PASSWORD_KEY]
