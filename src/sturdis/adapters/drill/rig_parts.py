"""What a rig adds around its server: a small disk, limits of the kernel, a port."""

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.local import ports
from sturdis.core.drill.undo import RemoveCgroup, Unmount
from sturdis.core.errors import DrillError, PortError

LOWEST_PORT = 15_000
PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
USUAL_LOWEST_OWN = 32_768
"""Where Linux begins to take ports for connections that name none."""

GROUPS = Path("/sys/fs/cgroup")

TRIES = 50
"""Ports that are tried; on a machine with that many taken something is wrong."""


def port() -> int:
    """Give a free port of loopback that the system gives to no connection by itself.

    A client that keeps trying a port of that range while nobody listens there is sometimes given
    the same port at its own end: it is then connected to itself, and the server cannot come back.

    Raises:
        PortError: None was free.
    """
    low = USUAL_LOWEST_OWN
    if PORT_RANGE.exists():
        low = max(LOWEST_PORT + 1, int(PORT_RANGE.read_text(encoding="ascii").split()[0]))
    dice = random.SystemRandom()  # two drills of one seed may run beside each other
    for _try in range(TRIES - 1):
        try:
            return ports.claim(dice.randrange(LOWEST_PORT, low), option="another run")
        except PortError:
            continue
    return ports.claim(0, option="another run")


def mount_small_disk(path: Path, mebibytes: int, journal: Journal) -> int:
    """Mount a disk in memory at `path`; give its number in the journal.

    Raises:
        DrillError: `drill.lacking`: the system lets this user mount nothing.
    """
    path.mkdir(parents=True)
    number = journal.note(Unmount(str(path)))
    size = f"size={mebibytes}m,mode=0700"
    _run(["mount", "-t", "tmpfs", "-o", size, "sturdis-drill", str(path)], "a small disk")
    return number


def unmount_small_disk(path: Path, number: int, journal: Journal) -> None:
    """Take a small disk away, and leave what was on it where it was mounted.

    What cannot be kept is lost with the disk, which is taken away all the same.

    Raises:
        DrillError: `drill.not_undone`.
    """
    beside = path.with_name(f"{path.name}.kept")
    with contextlib.suppress(OSError, shutil.Error):
        shutil.copytree(path, beside, symlinks=True)
    journal.undo(number)
    with contextlib.suppress(OSError):
        path.rmdir()
        beside.rename(path)


def memory_group(name: str, limit: int, journal: Journal) -> tuple[Path, int]:
    """Make a control group with a limit of memory; give it, and its number in the journal.

    Raises:
        DrillError: `drill.lacking`: the system has none, or not for this user.
    """
    root, setting = memory_controller()
    group = root / name
    number = journal.note(RemoveCgroup(str(group)))
    try:
        group.mkdir()
        (group / setting).write_text(str(limit), encoding="ascii")
    except OSError as error:
        raise lacking("a limit of memory", error.strerror or str(error)) from error
    return group, number


def memory_controller() -> tuple[Path, str]:
    """Give where groups with a limit of memory are made, and the file that takes the limit."""
    if (GROUPS / "cgroup.controllers").exists():
        return GROUPS, "memory.max"
    return GROUPS / "memory", "memory.limit_in_bytes"


def limited(
    group: Path | None, file_limit: int | None, environ: Mapping[str, str]
) -> Sequence[str]:
    """Give what to put before a command so that it runs with these limits and variables.

    Root's power over limits is taken from it, or a server would raise its own.
    """
    before: list[str] = []
    if group is not None:
        before += ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs")]
    if file_limit is not None:
        if os.geteuid() == 0 and shutil.which("setpriv"):
            before += ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource", "--"]
        before += ["prlimit", f"--nofile={file_limit}:{file_limit}", "--"]
    if environ:
        before += ["env", *(f"{name}={value}" for name, value in environ.items())]
    return before


def lacking(what: str, why: str) -> DrillError:
    """Say that this machine cannot give what a rig needs."""
    return DrillError(
        "drill.lacking",
        f"this machine does not give the drill {what}",
        why=why,
        do="sturdis drill list tells what each drill needs, and what is lacking here",
    )


def _run(command: Sequence[str], what: str) -> None:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise lacking(what, error.strerror or str(error)) from error
    if ended.returncode:
        raise lacking(what, ended.stderr.strip())
