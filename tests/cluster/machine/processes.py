"""Starting the cluster's processes, finding them again without a note, and ending them.

Every process carries a mark in its environment, which its children inherit; what runs in a pod has
an environment of its own and is found by its cgroup. So a killed `make cluster` leaves nothing that
the next one does not find, and a `tail -f` on a log is nobody's member.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.cluster.machine.places import LOGS, STATE, MachineError

MARK = "STURDIS_CLUSTER_MEMBER"
CONTROL = "control"
POLL_SECONDS = 0.1
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(*command: str | Path, given: str | None = None, cwd: Path | None = None) -> str:
    """Run a command to its end and give what it printed.

    Raises:
        MachineError: It failed; its last lines are told.
    """
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, cwd=cwd
    )
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()[-8:]
        shown = " ".join(str(word) for word in command)
        raise MachineError(
            f"this ended with {done.returncode}: {shown}",
            why="\n       ".join(lines) or "it printed nothing",
            do="mend that, then run make again",
        )
    return done.stdout


def spawn(
    name: str, member: str, *command: str | Path, env: Mapping[str, str] | None = None
) -> None:
    """Start a process that outlives this one, marked as `member`'s; it logs to `LOGS/name.log`."""
    # Nothing of the caller's: a proxy or a KUBECONFIG of theirs would lead elsewhere.
    environment = {"PATH": SYSTEM_PATH, "HOME": str(STATE), MARK: member, **(env or {})}
    appended = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    os.posix_spawnp(
        command[0], command, environment, setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(LOGS / f"{name}.log"), appended, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )  # fmt: skip


def members(member: str | None = None) -> Iterator[int]:
    """Give the processes of one member, or of all: agents, shims and what runs in pods."""
    mark = f"{MARK}={member or ''}".encode()
    cgroup = f"/sturdis-{member}/" if member else "/sturdis-node"
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            is_marked = any(one == mark if member else one.startswith(mark) for one in environment)
            if is_marked or cgroup in (process / "cgroup").read_text():
                yield int(process.name)
        except OSError:
            continue  # it ended meanwhile


def kill(member: str | None = None) -> None:
    """End the processes of one member, or of all, as a power cut does; return when all are gone."""
    while pids := list(members(member)):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(POLL_SECONDS)


def wait(what: str, holds: Callable[[], bool], *, seconds: float = 120.0) -> None:
    """Return as soon as `holds()` is true.

    Raises:
        MachineError: It was not within `seconds`; `what` names it.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise MachineError(
                f"not within {seconds:.0f} s: {what}",
                why=f"the logs are in {LOGS}",
                do="make cluster-down && make cluster",
            )
        time.sleep(POLL_SECONDS)
