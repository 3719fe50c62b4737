"""What `sturdis doctor` says of a deployment."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.deployments import POD, Deployed
from tests.cluster.machine import processes
from tests.cluster.machine.places import NODES, VOLUMES

SLOW_DISK = {"aof.slow_disk", "disk.slow"}
"""What the disk of a busy machine may add to anything."""


@dataclass(frozen=True)
class Diagnosed:
    """What was found."""

    status: int
    findings: tuple[dict[str, str], ...]
    unseen: tuple[str, ...]
    told: str
    """All that was printed."""

    @property
    def ids(self) -> set[str]:
        return {one["id"] for one in self.findings} - SLOW_DISK

    def find(self, name: str) -> dict[str, str]:
        """Give a finding that must be there."""
        found = [one for one in self.findings if one["id"] == name]
        assert found, f"no {name} in {self.told}"
        return found[0]


def doctor(deployed: Deployed, *words: str, **how: Any) -> Diagnosed:
    """Ask what is wrong."""
    answer = deployed.sturdis("doctor", "--json", *words, **how)
    assert answer.returncode in {0, 1, 3}, answer.stdout + answer.stderr
    told = json.loads(answer.stdout)
    return Diagnosed(
        answer.returncode,
        tuple(told["findings"]),
        tuple(told["unseen"]),
        answer.stdout + answer.stderr,
    )


def redis(deployed: Deployed, *words: str) -> str:
    """Send a command from the server's own container."""
    command = ("exec", POD, "-c", "redis", "--", "redis-cli", "--no-auth-warning", *words)
    return deployed.kubectl(*command).strip()


def restarted(deployed: Deployed, times: int) -> None:
    """Return when the server's container was started again so often."""
    count = "{.status.containerStatuses[?(@.name=='redis')].restartCount}"
    deployed.kubectl("wait", f"pod/{POD}", f"--for=jsonpath={count}={times}", "--timeout=120s")


def scale(deployed: Deployed, replicas: int) -> None:
    """Scale the set, and return when its pod is gone or ready."""
    deployed.kubectl("scale", "statefulset", "redis", f"--replicas={replicas}")
    if replicas:
        deployed.cluster.wait_ready(deployed.namespace, POD)
    else:
        deployed.kubectl("wait", f"pod/{POD}", "--for=delete", "--timeout=60s")


def volume(deployed: Deployed) -> Path:
    """Give the folder that is the pod's volume, on our own cluster."""
    name = deployed.get("pvc", f"data-{POD}")["spec"]["volumeName"]
    return VOLUMES / str(name)


def server(deployed: Deployed) -> int:
    """Give the server's process, on our own cluster."""
    uid = deployed.get("pod", POD)["metadata"]["uid"]
    (pid,) = [pid for pid in _servers() if uid in Path(f"/proc/{pid}/cgroup").read_text()]
    return pid


def _servers() -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if (folder / "comm").read_text().strip() == "redis-server":
                yield int(folder.name)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Have a file system of that size at a folder, on every node of our own cluster."""
    entered = [("nsenter", "--mount", "--target", str(kubelet(node.name))) for node in NODES]
    try:
        for enter in entered:
            mount = ("mount", "-t", "tmpfs", "-o", f"size={size}", "test", str(folder))
            subprocess.run([*enter, *mount], check=True)
        yield
    finally:
        for enter in entered:
            unmount = ("umount", "--lazy", str(folder))
            subprocess.run([*enter, *unmount], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def kubelet(node: str) -> int:
    """Give the kubelet's process of a node of our own cluster."""
    (pid,) = [
        pid
        for pid in processes.members(node)
        if Path(f"/proc/{pid}/comm").read_text().strip() == "kubelet"
    ]
    return pid
