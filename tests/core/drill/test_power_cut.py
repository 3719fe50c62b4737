"""What a power cut leaves of a file, and which losses it excuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from sturdis.core.drill import verdict
from sturdis.core.drill.events import Event, PowerCut
from sturdis.core.drill.ledger import account
from sturdis.core.drill.power_cut import NULS_SHARE, remains
from sturdis.core.drill.verdict import Timing
from sturdis.core.report import Verdict
from tests.core import drills

sizes = st.integers(0, 10_000)
rolls = st.tuples(*[st.floats(0, 1, exclude_max=True)] * 3)


@given(sizes, sizes, rolls)
def test_what_an_fsync_covered_is_kept_and_no_byte_is_added(synced, size, rolled):
    left = remains(synced, size, rolled)
    assert min(synced, size) <= left.kept <= left.size <= size


@given(sizes, rolls)
def test_where_an_fsync_covered_all_nothing_is_lost(size, rolled):
    assert remains(size, size, rolled).kept == size


@given(sizes, st.integers(1, 5000), rolls)
def test_zeros_follow_in_some_cuts_alone(synced, more, rolled):
    left = remains(synced, synced + more, rolled)
    assert not left.zeros or rolled[1] < NULS_SHARE


CUT_AT = 10_000


def cut(*, synced_at: int | None = 9_500, longest: int = 5, lost: int = 100) -> PowerCut:
    return PowerCut(CUT_AT, 1, synced_at, longest, lost, unsynced=200)


def judged(
    acknowledged_at: int, powered: PowerCut, *, pending: bool = False, unwritten: str = ""
) -> Verdict:
    """Judge one job that is lost, acknowledged at a time, by the cut after it."""
    killed, served = drills.killed(1, CUT_AT, pending=pending)
    events: list[Event] = [
        *drills.acknowledged("a", acknowledged_at),
        structs.replace(killed, unwritten=tuple(unwritten)),
        served,
        powered,
        *drills.acknowledged("b", 90, "2"),
        drills.done("b", 95, job_id="2"),
    ]
    seen = drills.drill(*events)
    counted = account(seen.events, seen.survey)
    return verdict.judge(counted, seen.survey.at, Timing(0, 0)).verdict


def test_a_job_acknowledged_after_the_last_fsync_began_may_be_lost():
    assert judged(9_600, cut()) is Verdict.PASS


def test_a_job_that_an_fsync_covered_may_not():
    assert judged(9_000, cut()) is Verdict.FAIL


def test_what_was_held_back_as_the_fsync_was_asked_for_may_be_lost():
    assert judged(9_500 - verdict.BEGINS_WITHIN, cut()) is Verdict.PASS
    assert judged(9_500 - verdict.BEGINS_WITHIN - 1, cut()) is Verdict.FAIL


@pytest.mark.parametrize("powered", [cut(), cut(lost=0)])
def test_what_was_held_back_is_in_no_file_whatever_an_fsync_covered(powered):
    assert judged(9_000, powered, unwritten="a") is Verdict.PASS
    assert judged(7_999, powered, unwritten="a") is Verdict.FAIL


def test_nothing_may_be_lost_where_no_byte_was():
    assert judged(9_600, cut(lost=0)) is Verdict.FAIL


def test_what_the_server_held_back_was_in_no_file_and_may_be_lost():
    assert judged(9_600, cut(lost=0), pending=True) is Verdict.PASS


@pytest.mark.parametrize("synced_at", [None, 1_000])
def test_nothing_older_than_the_window_may_be_lost(synced_at):
    assert judged(8_000, cut(synced_at=synced_at)) is Verdict.PASS
    assert judged(7_999, cut(synced_at=synced_at)) is Verdict.FAIL


def test_a_longer_fsync_makes_the_window_longer():
    slow = cut(synced_at=1_000, longest=4_000)
    assert judged(5_000, slow) is Verdict.PASS
    assert judged(4_999, slow) is Verdict.FAIL


@pytest.mark.parametrize(("took", "told"), [(("a",), Verdict.PASS), ((), Verdict.FAIL)])
def test_a_job_that_a_worker_starts_from_memory_was_lost_with_its_bytes(took, told):
    """Without the bytes' word the start says that it was in Redis, and no fault came after."""
    powered = structs.replace(cut(), uuids=took)
    later = PowerCut(20_000, 2, 19_900, 5, 10, 10)
    events: list[Event] = [
        *drills.acknowledged("a", 9_600),
        *drills.killed(1, CUT_AT),
        powered,
        drills.started("a", 10_500, starts=2, attempts=1),
        *drills.killed(2, 20_000),
        later,
        *drills.acknowledged("b", 90, "2"),
        drills.done("b", 95, job_id="2"),
    ]
    seen = drills.drill(*events)
    counted = account(seen.events, seen.survey)
    (loss,) = verdict.losses(counted)
    assert (loss.cut == powered) is bool(took)
    assert verdict.judge(counted, seen.survey.at, Timing(0, 0)).verdict is told


def test_a_job_that_only_the_memory_had_is_lost_to_that_kill_though_a_worker_went_on_with_it():
    killed, served = drills.killed(1, CUT_AT, pending=True)
    late = drills.started("a", CUT_AT + 500, starts=2)
    for unwritten, found in ((("a",), Verdict.PASS), ((), Verdict.FAIL)):
        known = structs.replace(killed, unwritten=unwritten)
        seen = drills.drill(
            *drills.acknowledged("a", 9_600), known, served, late,
            *drills.acknowledged("b", 90, "2"), drills.done("b", 95, job_id="2"),
        )  # fmt: skip
        counted = account(seen.events, seen.survey)
        assert verdict.judge(counted, seen.survey.at, Timing(0, 0)).verdict is found


@pytest.mark.parametrize(("job_id", "found"), [("7", Verdict.PASS), ("8", Verdict.FAIL)])
def test_a_job_that_was_taken_for_one_of_before_with_its_id_is_told_so(job_id, found):
    killed, served = drills.killed(1, CUT_AT, pending=True)
    killed = structs.replace(killed, unwritten=("old",))
    seen = drills.drill(
        *drills.acknowledged("old", 9_600, "7"), killed, served,
        *drills.acknowledged("new", served.at + 100, job_id),
        *drills.acknowledged("b", 90, "2"), drills.done("b", 95, job_id="2"),
    )  # fmt: skip
    counted = account(seen.events, seen.survey)
    judged = verdict.judge(counted, seen.survey.at, Timing(0, 0))
    assert judged.verdict is found
    assert any(verdict.REUSED in reason for reason in judged.reasons) is (found is Verdict.PASS)
