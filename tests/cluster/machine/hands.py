"""What the hooks of drills do to a server on a node of this machine: tests/cluster/hooks.yaml."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.machine import processes
from tests.cluster.machine.places import MachineError

TABLE = "sturdis_drill"
RULES = f"""
table inet {TABLE} {{
  chain in {{
    type filter hook input priority -300; policy accept;
    iif != "lo" drop
  }}
  chain out {{
    type filter hook output priority -300; policy accept;
    oif != "lo" drop
  }}
}}
"""
"""In the pod's network namespace. A forwarded port goes through its `lo`, and is let through."""


def kill(container: str) -> None:
    """End process 1 of a container with SIGKILL."""
    for pid in _members(container):
        if _status(pid, "NSpid")[-1] == "1":
            os.kill(pid, signal.SIGKILL)
            return
    raise MachineError(f"no container {container} runs here", why="no such process 1", do="look")


def partition(pod: str) -> None:
    """Drop all packets between a pod, by its UID, and others."""
    heal(pod)
    processes.run(*_inside(_any_of(pod)), "-f", "-", given=RULES)


def heal(pod: str) -> None:
    """Let them pass again; harmless where they do, or the pod is gone."""
    for pid in _members(pod):
        delete = (*_inside(pid), "delete", "table", "inet", TABLE)
        subprocess.run(delete, capture_output=True, check=False)
        listed = subprocess.run(
            (*_inside(pid), "list", "tables"), capture_output=True, text=True, check=True
        )
        if TABLE in listed.stdout:
            raise MachineError(f"pod {pod} is cut off still", why=listed.stdout, do="nft")
        return


def _any_of(pod: str) -> int:
    for pid in _members(pod):
        return pid
    raise MachineError(f"no pod {pod} runs here", why="no process of it", do="look")


def _inside(pid: int) -> tuple[str, ...]:
    return ("nsenter", f"--net=/proc/{pid}/ns/net", "nft")


def _members(group: str) -> Iterator[int]:
    """Give the processes whose control group names a container, or the UID of a pod."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if group and group in (folder / "cgroup").read_text():
                yield int(folder.name)
        except OSError:  # it has ended meanwhile
            continue


def _status(pid: int, key: str) -> list[str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1:] for line in lines if line.startswith(f"{key}:"))
