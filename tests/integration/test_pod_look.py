"""The script that looks from inside a pod, run by the shells that images have."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sturdis.adapters.kubernetes import pod_look
from sturdis.adapters.kubernetes.exec import Ran
from sturdis.core.cluster import Manifest
from sturdis.core.facts import NotVisible, Unseen

SHELLS = {"dash": ("dash",), "bash": ("bash", "--posix"), "busybox": ("busybox", "sh")}
MEBI = 1 << 20
UNLIMITED_V1 = 9223372036854771712
"""What version 1 of the cgroups writes where there is no limit."""

SHOWN = """\
limit {limit}
overcommit 1
huge_pages {pages}
disk {disk}
memory.MemTotal 8388608
memory.MemAvailable 4194304
memory.SwapFree 0
memory.CommitLimit 4194304
memory.Committed_AS 1048576
resolved 10.0.0.1
reply PONG
"""


def pod(limit: str | None = None) -> Manifest:
    resources = {"resources": {"limits": {"memory": limit}}} if limit else {}
    return {"spec": {"containers": [{"name": "other"}, {"name": "redis", **resources}]}}


def look(
    *, limit: object = "max", pages: str = "always [madvise] never", disk: str = "10 4096",
    asked: str | None = None,
) -> pod_look.Look:  # fmt: skip
    out = SHOWN.format(limit=limit, pages=pages, disk=disk).encode()
    found = pod_look.read(Ran(0, out, b""), pod(asked), "redis")
    assert isinstance(found, pod_look.Look)
    return found


@pytest.mark.parametrize("shell", [name for name in SHELLS if shutil.which(SHELLS[name][0])])
def test_the_script_shows_this_machine_by_whatever_shell_runs_it(shell, tmp_path):
    words = [*SHELLS[shell], "-c", pod_look.SCRIPT, "sh", "127.0.0.1", str(tmp_path)]
    ran = subprocess.run(words, capture_output=True, check=True)
    found = pod_look.read(Ran(0, ran.stdout, ran.stderr), pod(), "redis")
    assert isinstance(found, pod_look.Look)
    machine = found.machine
    assert isinstance(machine.memory_limit, int)
    assert machine.memory_limit <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert isinstance(machine.available, int)
    assert isinstance(machine.commit_room, int)
    assert machine.overcommit == Path("/proc/sys/vm/overcommit_memory").read_text().strip()
    disk = os.statvfs(tmp_path)
    assert isinstance(machine.disk_free, int)
    assert 0 < machine.disk_free <= disk.f_blocks * disk.f_frsize
    assert found.asked.reply, "what redis-cli said, or the shell that found none"


@pytest.mark.parametrize(
    ("shown", "asked", "limit", "by"),
    [
        (256 * MEBI, None, 256 * MEBI, "its cgroup"),
        ("max", "128Mi", 128 * MEBI, "the limit of its container"),
        (UNLIMITED_V1, "128Mi", 128 * MEBI, "the limit of its container"),
        ("", None, 8 << 30, "all memory of its node"),
        ("max", None, 8 << 30, "all memory of its node"),
        (16 << 30, None, 8 << 30, "all memory of its node"),
    ],
)
def test_the_smallest_limit_counts_and_says_who_sets_it(shown, asked, limit, by):
    machine = look(limit=shown, asked=asked).machine
    assert (machine.memory_limit, machine.limited_by) == (limit, by)


def test_what_a_container_does_not_show_is_said_so():
    assert look().machine.huge_pages == "madvise"
    assert isinstance(look(pages="").machine.huge_pages, NotVisible)
    assert look(disk="10 4096").machine.disk_free == 40960
    odd = look(disk="stat: unrecognized option: f").machine.disk_free
    assert odd == Unseen("stat -f: stat: unrecognized option: f")


def test_a_container_that_shows_nothing_is_unseen_with_its_words():
    found = pod_look.read(Ran(127, b"", b"sh: not found\n"), pod(), "redis")
    assert found == Unseen("the container's sh: sh: not found")


@pytest.mark.parametrize(
    ("told", "reply"),
    [
        ({"reply": "PONG"}, "PONG"),
        ({"reply": ""}, "no reply within 5 s"),
        ({}, "no reply within 5 s"),
    ],
)
def test_no_reply_in_time_is_told_as_that(told, reply):
    assert pod_look.read_answer(told).reply == reply
