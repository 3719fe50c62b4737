"""The drill record's lines and tables, by values."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.drill import record_table
from sturdis.core.drill.record_table import Batch
from sturdis.core.report import Verdict

KILLS = Batch("kill-9", "redis 7.0.15", 1, 50, Verdict.PASS, 1000, 0, 0, 0, 0)


def cells(row: str) -> list[str]:
    return [one.strip() for one in row.strip("|").split("|")]


def test_the_batches_of_a_drill_and_a_server_are_one_row():
    some = [msgspec.structs.replace(KILLS, seed=seed) for seed in range(20)]
    head, line, row = record_table.record_rows(some)
    seen = dict(zip(cells(head), cells(row), strict=True))
    assert set(cells(line)) == {"---"}
    assert (seen["rounds"], seen["acknowledged"], seen["LOST"]) == ("1,000", "20,000", "0")
    assert seen["95 % bound"] == "0.30 %"
    assert seen["verdicts"] == "20 pass"
    assert seen["again by"] == '`make drill-record ARGS="kill-9 --server redis-7.0 --fresh"`'


def test_a_round_that_cost_a_job_widens_the_bound_and_an_excused_one_is_told():
    bad = msgspec.structs.replace(
        KILLS, seed=2, verdict=Verdict.FAIL, lost=3, rounds_lost=1, excused=2, rounds_excused=1,
        oldest=1200, duplicates={"redelivery": 4, "replay": 1, "double add": 2},
    )  # fmt: skip
    head, _line, row = record_table.record_rows([KILLS, bad])
    seen = dict(zip(cells(head), cells(row), strict=True))
    assert (seen["LOST"], seen["excused"], seen["oldest"]) == ("3", "2 in 1", "1.20 s")
    assert seen["95 % bound"] == "4.66 %"
    assert (seen["given again"], seen["doubled"]) == ("5", "2")
    assert seen["verdicts"] == "1 pass, 1 fail"


def test_each_drill_and_server_has_a_row_of_its_own_in_a_fixed_order():
    servers = ("valkey 9.1.2", "redis 8.0.2")
    some = [
        msgspec.structs.replace(KILLS, drill=drill, server=server)
        for server in servers
        for drill in ("power-cut", "kill-9")
    ]
    rows = record_table.record_rows(some)[2:]
    assert rows == record_table.record_rows(some[::-1])[2:]
    assert [cells(row)[:2] for row in rows] == [
        ["kill-9", "redis 8.0.2"], ["kill-9", "valkey 9.1.2"],
        ["power-cut", "redis 8.0.2"], ["power-cut", "valkey 9.1.2"],
    ]  # fmt: skip


def test_configurations_stand_beside_each_other_and_what_was_not_run_is_said():
    seed = msgspec.structs.replace(
        KILLS, configuration="seed", lost=5, excused=1, verdict=Verdict.FAIL
    )
    torn = Batch(
        "torn-multi", "redis 7.0.15", 1, 1, Verdict.FAIL, 0, 0, 0, 0, 0,
        configuration="seed", reasons=("lost 69 of 88 cuts; expected 0", "another"),
    )  # fmt: skip
    ours = msgspec.structs.replace(
        torn, configuration="deployment", verdict=Verdict.PASS, reasons=(),
        figures={"a": 88.0, "b": 0.0, "unseen": None},
    )  # fmt: skip
    rows = record_table.comparison_rows([KILLS, seed, torn, ours], ("deployment", "seed", "c"))
    assert rows[2:] == [
        "| kill-9 | 0 of 1,000 lost; 1 pass | 6 of 1,000 lost; 1 fail | not run |",
        "| torn-multi | a 88, b 0; 1 pass | lost 69 of 88 cuts; expected 0; 1 fail | not run |",
    ]


def test_a_long_reason_is_cut_between_words():
    long = "after fault 6: the server ended with status 1: " + "and a word more " * 9
    cut = record_table.shortened(long)
    assert long.startswith(cut.removesuffix(" …"))
    assert 60 < len(cut) <= record_table.CELL + 2
    assert record_table.shortened("short") == "short"


BATCHES = st.builds(
    Batch,
    drill=st.sampled_from(["kill-9", "power-cut"]),
    server=st.sampled_from(["redis 7.0.15", "valkey 9.1.2"]),
    seed=st.integers(0, 3),
    rounds=st.integers(1, 50),
    verdict=st.sampled_from(Verdict),
    acknowledged=st.integers(0, 9999),
    lost=st.integers(0, 9),
    rounds_lost=st.just(0),
    excused=st.integers(0, 9),
    rounds_excused=st.just(0),
    guarded=st.booleans(),
    oldest=st.none() | st.integers(0, 5000),
    figures=st.dictionaries(st.text(max_size=3), st.none() | st.floats(0, 9), max_size=2),
    reasons=st.tuples(st.text(max_size=9)),
)


@given(st.lists(BATCHES))
def test_a_log_of_batches_gives_the_last_of_each_back(some):
    read = record_table.decode(map(record_table.encode, some))
    assert {one.key: one for one in read} == {one.key: one for one in some}
    assert len(read) == len({one.key for one in some})


@given(st.lists(BATCHES, min_size=1), st.data())
def test_a_log_cut_anywhere_keeps_the_lines_before(some, data):
    whole = b"".join(map(record_table.encode, some))
    cut = data.draw(st.integers(0, len(whole) - 1))
    lines = whole[:cut].splitlines(keepends=True)
    read = {one.key for one in record_table.decode(lines)}
    before = some[: whole[:cut].count(b"\n")]
    assert {one.key for one in before} <= read <= {one.key for one in some}


def test_what_is_no_batch_is_left_out():
    assert record_table.decode([b"", b"{}\n", b"\xff\n", b'{"drill": 1}\n']) == []


@pytest.mark.parametrize("server", ["redis 7.0.15", "redis 8.0.2", "valkey 8.1.8", "valkey 9.1.2"])
def test_a_server_is_known_by_its_release(server):
    assert re.fullmatch(r"(redis|valkey)-\d\.\d", record_table.short(server))


def test_a_drill_that_was_run_once_is_a_row_with_its_verdict():
    other = msgspec.structs.replace(
        KILLS, drill="cut-connections", rounds=3, lost=0, excused=2, rounds_excused=1,
        duplicates={"double add": 14, "redelivery": 3},
    )  # fmt: skip
    head, _line, first, second = record_table.once_rows([KILLS, other])
    seen = dict(zip(cells(head), cells(first), strict=True))
    assert (seen["drill"], seen["excused"], seen["doubled"]) == ("cut-connections", "2 in 1", "14")
    assert (seen["given again"], seen["verdict"]) == ("3", "pass")
    assert cells(second)[0] == "kill-9"
