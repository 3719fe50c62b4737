"""What a drill keeps to itself, and what it undoes whatever else cannot be undone."""

import pytest

from sturdis.adapters.drill import run_store, undo_journal
from sturdis.core.drill import undo
from sturdis.core.drill.undo import RemoveFolder, RunCommand
from tests.drills.test_drill_command import QUICK, drill, runs, written
from tests.integration.running import error_code, running

SECRET = "geheim123"


@pytest.mark.tier("embedded")
def test_the_password_of_an_up_is_in_nothing_that_is_kept_or_printed(tmp_path):
    (tmp_path / "password").write_text(SECRET)
    options = ("--drills", "--password-file", str(tmp_path / "password"))
    with running("--ephemeral", "--server", "embedded", *options) as up:
        typed = up.url.replace("redis://", f"redis://default:{SECRET}@")
        quick = written(tmp_path, QUICK)
        ran = drill("run", quick, "--target", typed, "--seed", "1")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (folder,) = runs()
    page = tmp_path / "report.html"
    told = [ran, drill("report"), drill("report", "--json"), drill("report", "--html", str(page))]
    assert f"--target {up.url.replace('//', '//default@')} " in told[1].stdout
    assert SECRET not in "".join(one.stdout + one.stderr for one in told) + page.read_text()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert folder / run_store.RECORD in files
    for path in files:
        assert SECRET.encode() not in path.read_bytes(), path
        assert path.stat().st_mode & 0o077 == 0, path


def test_what_one_drill_left_that_cannot_be_undone_keeps_no_other_from_being_undone(tmp_path):
    made = [tmp_path / name for name in "ab"]
    steps: list[undo.Step] = [
        RemoveFolder(str(made[0])), RunCommand(("false",)), RemoveFolder(str(made[1])),
    ]  # fmt: skip
    lefts = [run_store.new_folder("left", seed) for seed in range(4)]
    for folder, step in zip(lefts, steps, strict=False):
        (folder / undo_journal.NAME).write_bytes(undo.encode(undo.Noted(1, step)))
    (lefts[3] / undo_journal.NAME).write_bytes(b"garbage\n")
    for folder in made:
        folder.mkdir()
    refused = drill("undo")
    assert error_code(refused) == "drill.not_undone"
    assert refused.stdout.count("undone   ") == len(made)
    assert "line 1 of the undo journal" in refused.stderr
    assert not any(folder.exists() for folder in made)
    assert undo_journal.left_behind(run_store.home()) == (lefts[1], lefts[3])
