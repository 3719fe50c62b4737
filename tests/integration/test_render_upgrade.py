"""`render` into a tree whose server could not be followed by the one of the spec."""

import json
from pathlib import Path

import pytest

from tests.integration.running import sturdis

SPEC = 'gitops: {repoURL: "ssh://git.local/app.git"}\nengine: {image: "IMAGE"}\n'
BASE = "apps/infrastructure/redis/base/statefulset.yaml"
NEVER = "base: redis 7.0.15 cannot read what redis 8.0.2 has written"


@pytest.fixture
def words(tmp_path: Path) -> tuple[str, ...]:
    """Give what is typed for a spec that went back, on a tree of before."""
    spec, out = tmp_path / "sturdis.yaml", tmp_path / "out"
    given = ("render", "--spec", str(spec), "-o", str(out))
    spec.write_text(SPEC.replace("IMAGE", "redis:8.0.2"))
    assert sturdis(*given).returncode == 0
    spec.write_text(SPEC.replace("IMAGE", "redis:7.0.15"))
    return given


def base_of(words: tuple[str, ...]) -> str:
    return (Path(words[-1]) / BASE).read_text()


def test_the_tree_stays_as_it_is_until_that_is_agreed_to(words):
    before = base_of(words)
    done = sturdis(*words, input="")
    assert (done.returncode, base_of(words)) == (2, before)
    assert "error[usage.not_agreed]" in done.stderr
    assert f"problem  {NEVER}" in done.stderr
    assert sturdis(*words, "--yes").returncode == 0
    assert "redis:7.0.15" in base_of(words)


def test_check_tells_of_it_beside_the_difference(words):
    done = sturdis(*words, "--check")
    assert done.returncode == 1
    assert f"warning: {NEVER}" in done.stderr
    assert "redis:7.0.15" in done.stdout
    told = json.loads(sturdis(*words, "--check", "--json").stdout)
    assert NEVER in told["problems"]


def test_a_move_without_a_way_back_is_written_and_said(words):
    spec = Path(words[2])
    assert sturdis(*words, "--yes").returncode == 0
    spec.write_text(SPEC.replace("IMAGE", "redis:8.0.2"))
    done = sturdis(*words)
    assert done.returncode == 0
    assert "note     base: there is no way back: redis 7.0.15" in done.stdout
