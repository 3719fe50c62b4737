"""docs/drill-record.md says what is on record, and what is on record survives its writer."""

import msgspec
import pytest
from record import page, plan, results

from sturdis.core.drill.record_table import Batch
from sturdis.core.report import Verdict

KILLS = Batch("kill-9", "redis 7.0.15", 1, 50, Verdict.PASS, 1000, 0, 0, 0, 0)


def test_the_page_is_what_the_record_makes_of_it():
    written = page.PAGE.read_text()
    assert page.render(written, results.read()) == written


def test_a_page_without_its_markers_is_refused():
    with pytest.raises(ValueError, match="record:begin"):
        page.render("# Nothing\n", [KILLS])


def test_what_is_outside_the_markers_stays():
    written = page.PAGE.read_text()
    empty = page.render(written, [])
    assert page.render(empty, results.read()) == written
    assert [line for line in empty.splitlines() if line.startswith("#")] == [
        line for line in written.splitlines() if line.startswith("#")
    ]


def test_a_batch_that_is_no_pass_is_told_with_its_reason():
    bad = msgspec.structs.replace(
        KILLS, seed=2, verdict=Verdict.FAIL, reasons=("1 acknowledged job LOST",)
    )
    made = page.render(page.PAGE.read_text(), [KILLS, bad])
    assert "| kill-9 | redis 7.0.15 | 2 | fail | 1 acknowledged job LOST |" in made
    assert "| kill-9 | redis 7.0.15 | 100 | 2,000 | 0 |" in made


def test_a_batch_is_appended_whole_behind_a_line_that_was_torn(tmp_path):
    path = tmp_path / "results.jsonl"
    results.append(KILLS, path)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    later = msgspec.structs.replace(KILLS, seed=2)
    results.append(later, path)
    assert results.read(path) == [KILLS, later]


def test_a_batch_taken_off_the_record_is_run_again_and_others_are_not(tmp_path):
    path = tmp_path / "results.jsonl"
    later = msgspec.structs.replace(KILLS, seed=2)
    results.append(KILLS, path)
    results.append(later, path)
    results.forget({KILLS.key}, path)
    assert results.read(path) == [later]


def test_there_is_no_record_before_the_first_batch(tmp_path):
    assert results.read(tmp_path / "none.jsonl") == []


def test_the_record_is_a_thousand_kills_and_three_hundred_power_cuts():
    assert {many.drill: many.rounds * many.batches for many in plan.RECORD} == {
        "kill-9": 1000, "power-cut": 300,
    }  # fmt: skip
