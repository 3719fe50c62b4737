"""A case that is named is shown by itself, with the folder in each of its forms."""

import os
import subprocess
import sys

import pytest

from tests import matrix, tiers

ROW = matrix.ROWS[0]


@pytest.mark.tier(ROW.tier)
def test_a_case_says_what_each_keeps_and_leaves_its_folders(tmp_path):
    command = [sys.executable, "-m", "tests.repair.case", "20:garbage:1", "--server", str(ROW)]
    shown = subprocess.run(
        command, cwd=tiers.ROOT, env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stdout + shown.stderr
    told = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines())
    assert int(told["repair"].split()[1]) > int(told["--fix"].split()[1])
    (folder,) = tmp_path.glob("repair-case-*")
    names = {path.name for path in folder.iterdir()}
    assert {"whole", "damaged", "fixed", "repaired"} <= names
