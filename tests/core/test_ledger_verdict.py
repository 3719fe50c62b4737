"""What may be lost, when a verdict may be asked for, and what is not known."""

import pytest
from hypothesis import given

from sturdis.core.drill import ledger, record, verdict
from sturdis.core.drill.events import Destroyed, Event, Intent, Killed, State
from sturdis.core.drill.events import SurveyedJob as Found
from sturdis.core.drill.ledger import STALLED_REASON, Account, Fate
from sturdis.core.drill.outcome import Outcome
from sturdis.core.drill.verdict import Timing
from sturdis.core.report import Verdict
from tests.core.drills import SURVEYED_AT, acknowledged, done, drill, drills, killed, started

SHORT = Timing(lock_duration=2000, stalled_interval=1000)


def judge(*parts: Event | Found, timing: Timing = SHORT, at: int = SURVEYED_AT) -> Outcome:
    left = drill(*acknowledged("fine", 5), done("fine"), *parts)
    return judged(ledger.account(left.events, left.survey), at, timing)


def judged(told: Account, at: int = SURVEYED_AT, timing: Timing = SHORT) -> Outcome:
    return Outcome(tuple(verdict.findings(told, at, timing)))


def lost(at: int):
    return acknowledged("lost", at, "2")


def test_all_processed_passes_with_the_number():
    judgement = judge(*killed(1, 100))
    assert judgement.found == ((Verdict.PASS, "all 1 acknowledged jobs were processed"),)


@pytest.mark.parametrize(
    ("age", "delayed", "pending", "longest_fsync", "expected"),
    [
        # nothing was late: nothing may be lost, however young
        (1, 0, False, None, Verdict.FAIL),
        (1, 0, False, 9000, Verdict.FAIL),
        # an fsync was late or under way: within the window
        (2000, 1, True, None, Verdict.PASS),
        (2000, 0, True, None, Verdict.PASS),
        # one that was late before is none that is late now
        (2000, 1, False, None, Verdict.FAIL),
        (1, 9, False, 9000, Verdict.FAIL),
        (2000, 1, None, None, Verdict.UNKNOWN),
        (2000, None, True, None, Verdict.PASS),
        (2001, 0, True, None, Verdict.FAIL),
        # the window follows the longest fsync, where it was measured
        (2001, 1, True, None, Verdict.UNKNOWN),
        (2001, 1, True, 500, Verdict.FAIL),
        (4000, 1, True, 3000, Verdict.PASS),
        (4001, 1, True, 3000, Verdict.FAIL),
        # nothing was seen of the fsyncs
        (2000, None, None, None, Verdict.UNKNOWN),
        (2000, 0, None, None, Verdict.UNKNOWN),
        (2001, None, None, None, Verdict.FAIL),
    ],
)
def test_a_loss_is_judged_by_its_age_and_what_the_fsyncs_did(
    age, delayed, pending, longest_fsync, expected
):
    kill = killed(1, 10_000, delayed=delayed, pending=pending)
    timing = Timing(2000, 1000, longest_fsync)
    judgement = judge(*lost(10_000 - age), *kill, timing=timing)
    assert judgement.verdict is expected
    assert "1 acknowledged job LOST" in judgement.reasons[0]


def test_a_loss_belongs_to_the_first_kill_after_it():
    fine, slow = killed(1, 10_000), killed(2, 12_000, pending=True)
    assert judge(*lost(9_900), *fine, *slow).verdict is Verdict.FAIL
    assert judge(*lost(11_900), *fine, *slow).verdict is Verdict.PASS


def test_a_loss_belongs_to_the_first_kill_after_the_job_was_last_seen():
    slow, fine = killed(1, 10_000, pending=True), killed(2, 12_000)
    assert judge(*lost(9_900), *slow, *fine).verdict is Verdict.PASS
    assert judge(*lost(9_900), started("lost", 11_000), *slow, *fine).verdict is Verdict.FAIL


def test_an_answer_read_while_the_server_is_down_belongs_to_the_kill_before_it():
    slow, fine = killed(1, 10_000, pending=True), killed(2, 90_000)
    assert judge(*lost(10_050), *slow, *fine).verdict is Verdict.PASS
    assert judge(*lost(10_150), *slow, *fine).verdict is Verdict.FAIL


def test_a_loss_without_a_kill_after_it_is_never_excused():
    assert judge(*killed(1, 1000, delayed=9), *lost(5000)).verdict is Verdict.FAIL
    assert judge(*lost(5000)).verdict is Verdict.FAIL


def test_a_loss_is_excused_where_the_destroyed_bytes_named_the_job():
    kill = killed(1, 10_000)
    named, others = Destroyed(10_010, 1, 99, ("lost",)), Destroyed(10_010, 1, 99, ("other",))
    assert judge(*lost(5000), *kill, named).found == (
        (Verdict.PASS, "1 acknowledged job LOST with the bytes destroyed in round 1"),
    )
    assert judge(*lost(5000), *kill, others).verdict is Verdict.FAIL
    # a client may read its reply when the bytes are gone already
    assert judge(*lost(10_500), *kill, named).verdict is Verdict.PASS


def test_where_all_data_was_destroyed_what_came_before_the_next_start_is_excused():
    kill, all_of_it = killed(1, 10_000), Destroyed(10_010, 1, 99, everything=True)
    assert judge(*lost(10_050), *kill, all_of_it).verdict is Verdict.PASS
    assert judge(*lost(10_150), *kill, all_of_it).verdict is Verdict.FAIL
    # a worker that had it before may fail it later
    assert judge(*lost(9_000), started("lost", 10_200), *kill, all_of_it).verdict is Verdict.PASS


def test_a_verdict_is_not_given_before_every_stalled_job_is_on_its_way_again():
    kill = killed(1, 10_000)  # serves at 10 100; 2000 of the lock, 2 times 1000 of the checks
    assert judge(*kill, at=14_099).verdict is Verdict.UNKNOWN
    assert judge(*kill, at=14_100).verdict is Verdict.PASS
    assert judge(*kill, at=14_100, timing=Timing()).verdict is Verdict.UNKNOWN
    assert judge(*kill, at=100_100, timing=Timing()).verdict is Verdict.PASS


def test_a_verdict_is_not_given_before_the_last_delayed_job_is_due():
    late = Intent(10_000, "in-doubt", "queue", "delayed", 5000)
    assert judge(late, at=14_999).verdict is Verdict.UNKNOWN
    assert judge(late, at=15_000).verdict is Verdict.PASS


def test_a_server_that_did_not_serve_again_leaves_the_verdict_unknown():
    assert judge(Killed(10, 1, 7, 0, fsync_pending=False)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Found("a", "1", State.WAIT), Verdict.UNKNOWN),
        (Found("a", "1", State.COMPLETED), Verdict.UNKNOWN),
        (Found("a", "1", State.FAILED, STALLED_REASON), Verdict.PASS),
        (Found("a", "1", State.FAILED, "Missing lock"), Verdict.FAIL),
        (Found("a", "1", State.ORPHAN), Verdict.FAIL),
        (Found("ghost", "1", State.WAIT), Verdict.UNKNOWN),
    ],
)
def test_what_redis_holds_in_the_end_is_told_and_judged(found, expected):
    judgement = judge(*acknowledged("a"), found, done("a")) if found.uuid == "ghost" else None
    judgement = judgement or judge(*acknowledged("a"), found)
    assert judgement.verdict is expected
    assert judgement.reasons[0].startswith("1 ")


def test_jobs_out_of_order_fail():
    parent = Intent(9, "child", "queue", "child", parent="fine")
    assert judge(parent, started("fine", 20)).verdict is Verdict.FAIL
    early = Intent(10, "early", "queue", "delayed", 500)
    assert judge(early, started("early", 20)).verdict is Verdict.FAIL


def test_a_drill_without_acknowledged_jobs_proves_nothing():
    left = drill(*killed(1, 10))
    told = ledger.account(left.events, left.survey)
    assert judged(told).verdict is Verdict.UNKNOWN


@given(drills)
def test_a_pass_excuses_every_loss(left):
    told = ledger.account(left.events, left.survey)
    judgement = judged(told, 2**50)
    if any(not one.taken_for for one in told.of(Fate.LOST)):
        assert judgement.verdict is not Verdict.PASS  # no kill of these met a slow fsync
    if judgement.verdict is Verdict.PASS:
        others = [one.fate for one in told.entries if not one.taken_for]
        assert set(others) <= {Fate.PROCESSED, Fate.STALLED, Fate.HELD}


def test_the_record_names_the_lost_jobs_and_says_what_was_shortened():
    parts = [part for number in range(12) for part in acknowledged(f"uuid-{number}", 500 + number)]
    left = drill(*parts, *killed(1, 1000))
    told = ledger.account(left.events, left.survey)
    shown = record.lines(told, SHORT)
    assert "acknowledged  0 processed, 12 LOST" in shown
    assert (
        "LOST          uuid-3 acknowledged 1970-01-01T00:00:00.503+00:00, 497 ms before kill 1"
        in shown
    )
    assert "LOST          and 2 more" in shown
    assert any("lock 2000 ms, stalled interval 1000 ms (shortened)" in line for line in shown)
    (reason, *_more) = judged(told).reasons
    assert reason.startswith("12 acknowledged jobs LOST before kill 1")
