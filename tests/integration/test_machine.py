"""The machine of a server: this one, as Linux shows it, or one laid out in a folder."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sturdis.adapters.local import machine
from sturdis.core.facts import Machine, NotVisible, Unseen
from tests.integration.servers import start_server

MIB = 2**20
MEMINFO = """\
MemTotal:        1048576 kB
MemAvailable:     524288 kB
SwapFree:         262144 kB
CommitLimit:      786432 kB
Committed_AS:     262144 kB
HugePages_Total:       0
"""


@pytest.fixture
def laid_out(tmp_path: Path) -> Path:
    """A machine up for 1000 s with one process, 42, that is 100 s old."""
    ticks = 900 * os.sysconf("SC_CLK_TCK")
    files = {
        "proc/uptime": "1000.00 1900.00\n",
        "proc/42/stat": f"42 (redis) server) S {' '.join('0' * 18)} {ticks} 0 0\n",
        "proc/42/cgroup": "0::/pod/container\n",
        "proc/meminfo": MEMINFO,
        "proc/sys/vm/overcommit_memory": "1\n",
        "sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n",
        "sys/fs/cgroup/pod/container/memory.max": "max\n",
        "sys/fs/cgroup/pod/memory.max": f"{256 * MIB}\n",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def look(root: Path, pid: str = "42", age: str = "100", folder: str | None = "/"):
    return machine.of_server({"process_id": pid, "uptime_in_seconds": age}, folder, root)


@pytest.mark.tier("embedded")
def test_a_server_of_this_machine_is_known_by_number_and_age(tmp_path):
    with start_server(tmp_path) as server:
        info = server.info("server")
        seen = machine.of_server(info, str(tmp_path))
        older = machine.of_server(info | {"uptime_in_seconds": "100000"}, str(tmp_path))
        ended = machine.of_server(info | {"process_id": "99999999"}, str(tmp_path))
    assert isinstance(seen, Machine)
    assert (older, ended) == (machine.NOT_HERE, machine.NOT_HERE)
    free = subprocess.run(
        ["df", "--output=avail", "--block-size=1", tmp_path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert isinstance(seen.disk_free, int)
    assert seen.disk_free == pytest.approx(int(free.stdout.split()[1]), rel=0.2)
    assert isinstance(seen.memory_limit, int)
    assert isinstance(seen.available, int)
    assert seen.available > 0
    assert 0 < seen.memory_limit <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert seen.overcommit in {"0", "1", "2"}
    if Path("/sys/kernel").exists():
        assert seen.huge_pages in {"always", "madvise", "never"}


def test_without_sys_the_huge_pages_are_not_visible_from_here(laid_out):
    shutil.rmtree(laid_out / "sys")
    seen = look(laid_out)
    assert isinstance(seen, Machine)
    assert isinstance(seen.huge_pages, NotVisible)


def test_what_linux_shows_is_read(laid_out):
    seen = look(laid_out)
    assert isinstance(seen, Machine)
    assert (seen.memory_limit, seen.limited_by) == (256 * MIB, "its cgroup")
    assert (seen.available, seen.commit_room) == (768 * MIB, 512 * MIB)
    assert (seen.overcommit, seen.huge_pages) == ("1", "always")


@pytest.mark.parametrize(
    ("cgroup", "limit", "expected"),
    [
        ("0::/", None, 1024 * MIB),
        ("0::/pod", f"{256 * MIB}", 256 * MIB),
        ("0::/pod", "max", 1024 * MIB),
        ("8:pids:/x\n4:cpu,memory:/pod", f"{128 * MIB}", 128 * MIB),
        ("4:memory:/pod", "9223372036854771712", 1024 * MIB),
    ],
)
def test_the_smallest_limit_counts_in_both_versions_of_cgroups(laid_out, cgroup, limit, expected):
    (laid_out / "proc/42/cgroup").write_text(cgroup)
    one, two = "sys/fs/cgroup/memory/pod/memory.limit_in_bytes", "sys/fs/cgroup/pod/memory.max"
    path = laid_out / (one if "memory" in cgroup else two)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(limit or "max")
    seen = look(laid_out)
    assert isinstance(seen, Machine)
    assert seen.memory_limit == expected


@pytest.mark.parametrize(
    ("pid", "age"),
    [("43", "100"), ("42", "120"), ("", "100"), ("x", "100"), ("42", ""), ("../42", "100")],
)
def test_another_process_or_another_age_is_another_machine(laid_out, pid, age):
    assert isinstance(look(laid_out, pid, age), NotVisible)


def test_what_is_missing_is_unseen_and_the_rest_is_seen(laid_out):
    (laid_out / "proc/meminfo").write_text("MemTotal: 1 kB\n")
    (laid_out / "proc/sys/vm/overcommit_memory").unlink()
    (laid_out / "sys/kernel/mm/transparent_hugepage/enabled").write_text("nothing")
    seen = look(laid_out, folder=str(laid_out / "no-such-folder"))
    assert isinstance(seen, Machine)
    for fact in (
        seen.available, seen.commit_room, seen.overcommit, seen.huge_pages, seen.disk_free
    ):  # fmt: skip
        assert isinstance(fact, Unseen)
        assert fact.reason
    assert seen.memory_limit == 1024
    assert isinstance(look(laid_out, folder=None), Machine)
