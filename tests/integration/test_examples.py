"""The examples run as their README says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.running import STURDIS, sturdis

FOLDER = Path(__file__).parents[2] / "examples/bullmq"
NODE = ("node", str(FOLDER / "roundtrip.mjs"))
PYTHON = (sys.executable, str(FOLDER / "roundtrip.py"))
LINE = r"10 jobs added, processed and completed on redis://127\.0\.0\.1:\d+\n"

examples = pytest.mark.parametrize(
    "example",
    [
        pytest.param(NODE, id="node", marks=pytest.mark.tier("node")),
        pytest.param(PYTHON, id="python"),
    ],
)


def up(*command: str) -> subprocess.CompletedProcess[str]:
    return sturdis("up", "--ephemeral", "--server", "embedded", "--", *command, timeout=20)


@pytest.mark.tier("embedded")
@examples
def test_an_example_says_in_one_line_what_it_did(example):
    run = up(*example)
    assert (run.returncode, bool(re.fullmatch(LINE, run.stdout))) == (0, True), run


@pytest.mark.tier("embedded")
@examples
def test_an_example_leaves_no_keys_behind(example):
    run = up("sh", "-c", f"{shlex.join(example)} && {shlex.join(STURDIS)} cli dbsize")
    assert (run.returncode, bool(re.fullmatch(LINE + r"0\n", run.stdout))) == (0, True), run


@examples
def test_an_example_asks_for_the_address_that_it_was_not_given(example):
    run = subprocess.run(example, capture_output=True, text=True, timeout=20, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("REDIS_URL is not set")
