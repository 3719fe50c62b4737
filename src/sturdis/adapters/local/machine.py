"""The machine that a server runs on, as Linux shows it; only when it is this one."""

import os
from collections.abc import Mapping
from pathlib import Path

from sturdis.core.facts import Machine, NotVisible, Unseen

SAME_AGE_SECONDS = 10.0
"""How far a server's word on its age may differ from the kernel's: it counts from when it has read
its settings, and a busy machine may take seconds until then."""

NOT_HERE = NotVisible("the server's machine cannot be seen from here")

KIBI = 1024

START_FIELD = 19
"""Where /proc/PID/stat has the start time, counted after the name in brackets: proc(5)."""

ROOT = Path("/")


def of_server(
    info: Mapping[str, str], folder: str | None, root: Path = ROOT
) -> Machine | NotVisible:
    """Look at the machine of the server that gave `info`, if that is this one.

    Args:
        info: The fields of its INFO.
        folder: Where it keeps its data; None: not known.
        root: Where this machine's /proc and /sys are found.

    The number and the age of the process decide: a server behind a forwarded port or in a
    container has a number that means another process here, or none.
    """
    pid = info.get("process_id", "")
    age = _age(root, pid) if pid.isdecimal() else None
    said = info.get("uptime_in_seconds", "")
    if age is None or not said.isdecimal() or abs(age - int(said)) > SAME_AGE_SECONDS:
        return NOT_HERE
    memory = _meminfo(root)
    limit, limited_by = _memory_limit(root, pid, memory)
    return Machine(
        memory_limit=limit,
        limited_by=limited_by,
        available=_sum(memory, "MemAvailable", "SwapFree"),
        commit_room=_commit_room(memory),
        overcommit=_read(root / "proc/sys/vm/overcommit_memory"),
        huge_pages=_huge_pages(root),
        disk_free=_disk_free(folder),
    )


def _age(root: Path, pid: str) -> float | None:
    """Seconds that the process `pid` has lived; None when there is none."""
    stat, uptime = _read(root / "proc" / pid / "stat"), _read(root / "proc/uptime")
    if isinstance(stat, Unseen) or isinstance(uptime, Unseen):
        return None
    ticks = int(stat.rpartition(")")[2].split()[START_FIELD])
    return float(uptime.split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


def _meminfo(root: Path) -> Mapping[str, int] | Unseen:
    text = _read(root / "proc/meminfo")
    if isinstance(text, Unseen):
        return text
    lines = (line.split() for line in text.splitlines())
    return {words[0].rstrip(":"): int(words[1]) * KIBI for words in lines if len(words) > 1}


def _sum(memory: Mapping[str, int] | Unseen, *names: str) -> int | Unseen:
    if isinstance(memory, Unseen):
        return memory
    missing = [name for name in names if name not in memory]
    return Unseen(f"no {missing[0]}") if missing else sum(memory[name] for name in names)


def _commit_room(memory: Mapping[str, int] | Unseen) -> int | Unseen:
    limit, used = _sum(memory, "CommitLimit"), _sum(memory, "Committed_AS")
    if isinstance(limit, Unseen) or isinstance(used, Unseen):
        return Unseen("no CommitLimit")
    return max(0, limit - used)


def _memory_limit(
    root: Path, pid: str, memory: Mapping[str, int] | Unseen
) -> tuple[int | Unseen, str]:
    """Give the smallest of the machine's memory and the limits of the process's cgroups."""
    whole = _sum(memory, "MemTotal")
    limits = _cgroup_limits(root, pid)
    if isinstance(whole, Unseen) or (limits and min(limits) < whole):
        return (min(limits), "its cgroup") if limits else (whole, "all memory of its machine")
    return whole, "all memory of its machine"


def _cgroup_limits(root: Path, pid: str) -> list[int]:
    """Read the memory limits of a process's cgroup and those around it, of either version."""
    listed = _read(root / "proc" / pid / "cgroup")
    found = []
    for line in [] if isinstance(listed, Unseen) else listed.splitlines():
        _number, controllers, path = line.split(":", 2)
        if controllers == "":
            top, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        inner = top / path.lstrip("/")
        around = [folder for folder in (inner, *inner.parents) if folder.is_relative_to(top)]
        limits = (_read(folder / name) for folder in around)
        found += [int(limit) for limit in limits if isinstance(limit, str) and limit.isdecimal()]
    return found


def _huge_pages(root: Path) -> str | Unseen | NotVisible:
    if not (root / "sys/kernel").exists():  # a chroot, or a container without it
        return NotVisible("/sys is not there to look at")
    text = _read(root / "sys/kernel/mm/transparent_hugepage/enabled")
    if isinstance(text, Unseen):
        return text
    return text.partition("[")[2].partition("]")[0] or Unseen(f"not understood: {text}")


def _disk_free(folder: str | None) -> int | Unseen:
    if folder is None:
        return Unseen("CONFIG GET dir is refused")
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        return Unseen(f"{folder}: {error.strerror}")
    return disk.f_bavail * disk.f_frsize


def _read(path: Path) -> str | Unseen:
    try:
        return path.read_text().strip()
    except OSError as error:
        return Unseen(f"{path}: {error.strerror}")
