"""What a pod sees of itself: its memory and disk, and the address that clients are given.

One script for all, run once, with no more than sh and what Debian's and busybox' images both have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sturdis.adapters.kubernetes import exec as executing
from sturdis.adapters.kubernetes import unseen
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.exec import Ran
from sturdis.core.cluster import Manifest, Ref
from sturdis.core.cluster_facts import Asked
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Machine, NotVisible, Unseen
from sturdis.core.units import parse_bytes

LOOK_SECONDS = 20.0
"""Longest run of the script."""

PING_SECONDS = 5
"""Longest wait for a reply at the address, within the script."""

KIBI = 1024

UNLIMITED = 2**62
"""A limit from here on is none: version 1 of the cgroups writes the largest page-aligned number."""

ASK = f"""\
cli=$(command -v redis-cli || command -v valkey-cli)
echo "resolved $(getent hosts "$1" 2>/dev/null | head -n 1 | cut -d ' ' -f 1)"
echo "reply $(timeout {PING_SECONDS} "$cli" -h "$1" -p 6379 ping 2>&1 | head -n 1)"
"""
"""Asks the address in $1 and shows what it answered; REDISCLI_AUTH counts where it is set."""

SCRIPT = (
    """\
read_first() { for file; do if [ -r "$file" ]; then head -n 1 "$file"; return; fi; done; }
echo "limit $(read_first /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes)"
echo "overcommit $(read_first /proc/sys/vm/overcommit_memory)"
echo "huge_pages $(read_first /sys/kernel/mm/transparent_hugepage/enabled)"
echo "disk $(stat -f -c '%a %S' "$2" 2>&1)"
while read -r name number _unit; do echo "memory.${name%:} $number"; done < /proc/meminfo
"""
    + ASK
)
"""Shows what is known of the machine, and what `ASK` does. $1: the address; $2: a folder."""


@dataclass(frozen=True)
class Look:
    """What one pod sees."""

    machine: Machine
    asked: Asked


def look(
    cluster: Cluster, pod: Manifest, ref: Ref, *, container: str, folder: str, host: str
) -> Look | Unseen:
    """Look from inside a container.

    Args:
        cluster: Where the pod is.
        pod: The pod, for the limit that Kubernetes was asked to set.
        ref: The same, by name.
        container: Its container.
        folder: Where the server keeps its data.
        host: The name that clients are given.
    """
    command = ["sh", "-c", SCRIPT, "sh", host, folder]
    try:
        ran = executing.run(cluster, ref, container, command, seconds=LOOK_SECONDS)
    except ClusterError as error:
        return unseen.because(error)
    return read(ran, pod, container)


def read(ran: Ran, pod: Manifest, container: str) -> Look | Unseen:
    """Read what `SCRIPT` showed in a container of `pod`."""
    told = dict(
        line.split(" ", 1) for line in ran.out.decode(errors="replace").splitlines() if " " in line
    )
    if "reply" not in told:
        return Unseen(f"the container's sh: {ran.err.decode(errors='replace').strip()}")
    return Look(_machine(told, pod, container), read_answer(told))


def read_answer(told: Mapping[str, str]) -> Asked:
    """Read what `ASK` shows, by the first word of its lines."""
    reply = told.get("reply", "").strip() or f"no reply within {PING_SECONDS} s"
    return Asked(reply, told.get("resolved", "").strip())


def _machine(told: Mapping[str, str], pod: Manifest, container: str) -> Machine:
    memory = {
        name.removeprefix("memory."): int(number) * KIBI
        for name, number in told.items()
        if name.startswith("memory.") and number.isdecimal()
    }
    limit, limited_by = _limit(told, pod, container, memory)
    return Machine(
        memory_limit=limit,
        limited_by=limited_by,
        available=_sum(memory, "MemAvailable", "SwapFree"),
        commit_room=_commit_room(memory),
        overcommit=told.get("overcommit", "").strip() or Unseen("no vm.overcommit_memory"),
        huge_pages=_huge_pages(told.get("huge_pages", "")),
        disk_free=_disk_free(told.get("disk", "")),
    )


def _limit(
    told: Mapping[str, str], pod: Manifest, container: str, memory: Mapping[str, int]
) -> tuple[int | Unseen, str]:
    """Give the smallest of what the node has, the cgroup says, and Kubernetes was asked for."""
    known: list[tuple[int, str]] = []
    if "MemTotal" in memory:
        known.append((memory["MemTotal"], "all memory of its node"))
    said = told.get("limit", "").strip()
    if said.isdecimal() and int(said) < UNLIMITED:
        known.append((int(said), "its cgroup"))
    for one in pod["spec"]["containers"]:
        asked = one.get("resources", {}).get("limits", {}).get("memory")
        if one["name"] == container and asked:
            known.append((parse_bytes(asked), "the limit of its container"))
    return min(known) if known else (Unseen("no MemTotal in /proc/meminfo"), "")


def _sum(memory: Mapping[str, int], *names: str) -> int | Unseen:
    missing = [name for name in names if name not in memory]
    return Unseen(f"no {missing[0]}") if missing else sum(memory[name] for name in names)


def _commit_room(memory: Mapping[str, int]) -> int | Unseen:
    limit, used = _sum(memory, "CommitLimit"), _sum(memory, "Committed_AS")
    if isinstance(limit, Unseen) or isinstance(used, Unseen):
        return Unseen("no CommitLimit")
    return max(0, limit - used)


def _huge_pages(shown: str) -> str | Unseen | NotVisible:
    if not shown.strip():
        return NotVisible("its container does not show /sys/kernel/mm")
    return shown.partition("[")[2].partition("]")[0] or Unseen(f"not understood: {shown}")


def _disk_free(shown: str) -> int | Unseen:
    match whole_numbers(shown):
        case blocks, size:
            return blocks * size
    return Unseen(f"stat -f: {shown.strip()}")


def whole_numbers(shown: str) -> Sequence[int]:
    """Give the numbers of a line such as `stat -f -c` prints; none where a word is no number."""
    words = shown.split()
    return [int(word) for word in words] if all(word.isdecimal() for word in words) else []
