"""A repair that is killed at any moment leaves the old set or the new one, and the next ends it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import matrix
from tests.integration import damaged
from tests.integration.damaged import MANIFEST

pytestmark = [pytest.mark.tier("embedded"), pytest.mark.timeout(300)]
EMBEDDED = matrix.ROWS[3].server

CHANGES = [
    "open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link",
    "os.symlink", "os.chmod",
]  # fmt: skip
"""What Python tells of before the system is called: each call that changes what a folder holds."""

KILLED = """
import os, signal, sys
from pathlib import Path
from sturdis import wiring

data, server, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
count = 0

def told(event, arguments):
    global count
    if event not in CHANGES or not str(arguments[0]).startswith(data):
        return
    if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        return
    count += 1
    if count == last:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(told)
wiring.repair(Path(data), agree=lambda _plan: True, server=server)
print(count)
"""


def child(data: Path, kill_at: int, by: str = "SIGKILL") -> subprocess.CompletedProcess[str]:
    """Repair in a process that kills itself before its change number `kill_at`; 0: never."""
    script = KILLED.replace("CHANGES", repr(CHANGES)).replace("SIGKILL", by)
    command = [sys.executable, "-c", script, str(data), EMBEDDED, str(kill_at)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def copies(data: Path) -> list[Path]:
    return list(data.parent.glob("data.before-repair-*"))


def test_killed_at_any_change_it_leaves_the_old_or_the_new_and_the_next_ends_it(tmp_path):
    hurt = tmp_path / "hurt/data"
    hurt.parent.mkdir()
    damaged.damaged(hurt, EMBEDDED)
    old = damaged.contents(hurt)
    whole = tmp_path / "whole/data"
    shutil.copytree(hurt, whole)
    count = int(child(whole, 0).stdout)
    assert count > 15
    seen = set()
    for number in range(1, count + 1):
        data = tmp_path / f"{number}/data"
        shutil.copytree(hurt, data)
        assert child(data, number).returncode == -9, number
        require_one_of(data, hurt, whole)
        ended = damaged.repair(data, EMBEDDED)
        seen.add((ended.done, ended.finished))
        assert damaged.contents(whole).keys() == damaged.contents(data).keys(), number
        require_one_of(data, whole, whole)
        assert old in [damaged.contents(one) for one in copies(data)], number
        assert not [one for one in copies(data) if one.suffix == ".partial"], number
        shutil.rmtree(data.parent)
    assert seen == {(True, False), (False, True)}


def require_one_of(data: Path, *sets: Path) -> None:
    """Make sure that a folder is led by one of two manifests, and has the files that it names."""
    manifest = (data / MANIFEST).read_bytes()
    leading = next(one for one in sets if (one / MANIFEST).read_bytes() == manifest)
    for line in manifest.splitlines():
        name = f"appendonlydir/{line.split()[1].decode()}"
        assert (data / name).read_bytes() == (leading / name).read_bytes(), name


@pytest.mark.parametrize("number", [2, 15])
def test_ctrl_c_leaves_the_old_or_the_new_as_well(number, tmp_path):
    data = damaged.damaged(tmp_path / "data", EMBEDDED)
    assert "KeyboardInterrupt" in child(data, number, "SIGINT").stderr
    damaged.repair(data, EMBEDDED)
    assert not damaged.repair(data, EMBEDDED).plan.is_needed
