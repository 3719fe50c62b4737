"""Which losses evidence excuses: files that lack a job, bytes that a power cut took, ids reused."""

import pytest
from msgspec import structs

from sturdis.core.drill import losses, verdict
from sturdis.core.drill.events import (
    Acknowledged,
    Destroyed,
    Event,
    Intent,
    Killed,
    PowerCut,
    State,
    SurveyedJob,
)
from sturdis.core.drill.ledger import account
from sturdis.core.drill.losses import READ_WITHIN
from sturdis.core.drill.outcome import Outcome
from sturdis.core.drill.verdict import Timing
from sturdis.core.report import Verdict
from tests.core import drills

AT = 10_000
"""When the server is killed; it serves 100 ms later."""

SERVED = AT + 100


def judge(*parts: Event | SurveyedJob) -> Outcome:
    """Judge a drill in which one more job was done."""
    seen = left(*parts)
    told = account(seen.events, seen.survey)
    return Outcome(tuple(verdict.findings(told, seen.survey.at, Timing(0, 0))))


def left(*parts: Event | SurveyedJob) -> drills.Drill:
    return drills.drill(
        *drills.acknowledged("fine", 90, "fine"), drills.done("fine", 95, job_id="fine"), *parts
    )


def kill(
    *unwritten: str, read: bool = True, pending: bool | None = False, at: int = AT, number: int = 1
) -> tuple[Event, Event]:
    """A kill after which the files were read, and lacked these jobs."""
    killed, served = drills.killed(number, at, pending=pending)
    return structs.replace(killed, unwritten=unwritten, files_read=read), served


def cut(*jobs: str, longest: int = 5, lost: int = 100, at: int = AT, number: int = 1) -> PowerCut:
    return PowerCut(at, number, at - 500, longest, lost, 200, jobs, len(jobs))


def lost(at: int, job_id: str = "1") -> tuple[Event, ...]:
    return drills.acknowledged("lost", at, job_id)


@pytest.mark.parametrize("pending", [False, True, None])
def test_what_the_files_had_at_the_kill_may_not_be_lost_whatever_an_fsync_did(pending):
    assert judge(*lost(9_999), *kill(pending=pending)).verdict is Verdict.FAIL
    assert judge(*lost(9_999), *kill("other", pending=pending)).verdict is Verdict.FAIL


@pytest.mark.parametrize("pending", [False, True, None])
def test_what_the_files_lacked_was_held_back_and_may_be_lost_within_the_window(pending):
    assert judge(*lost(8_000), *kill("lost", pending=pending)).verdict is Verdict.PASS
    assert judge(*lost(7_999), *kill("lost", pending=pending)).verdict is Verdict.FAIL


def test_an_fsync_that_was_late_in_the_servers_life_is_no_evidence():
    killed, served = drills.killed(1, AT, delayed=1)
    assert judge(*lost(8_500), killed, served).verdict is Verdict.FAIL
    for rose, found in ((1, Verdict.PASS), (0, Verdict.FAIL)):
        known = structs.replace(killed, late_fsyncs=rose)
        assert judge(*lost(8_500), known, served).verdict is found


@pytest.mark.parametrize("pending", [False, True])
@pytest.mark.parametrize("age", [1, 1_500])
def test_a_power_cut_excuses_no_job_whose_bytes_it_left(age, pending):
    """A guard that cuts whole units beside what is torn loses these."""
    parts = (*lost(AT - age), *kill(pending=pending))
    assert judge(*parts, cut()).verdict is Verdict.FAIL
    assert judge(*parts, cut("other")).verdict is Verdict.FAIL
    assert judge(*parts, cut("lost")).verdict is Verdict.PASS


def test_nothing_may_be_lost_to_a_power_cut_that_took_no_byte_but_what_was_held_back():
    assert judge(*lost(9_600), *kill(), cut(lost=0)).verdict is Verdict.FAIL
    assert judge(*lost(9_600), *kill("lost"), cut(lost=0)).verdict is Verdict.PASS


def test_nothing_older_than_the_window_may_be_lost_to_a_power_cut():
    assert judge(*lost(8_000), *kill(), cut("lost")).verdict is Verdict.PASS
    assert judge(*lost(7_999), *kill(), cut("lost")).verdict is Verdict.FAIL
    assert judge(*lost(5_000), *kill(), cut("lost", longest=4_000)).verdict is Verdict.PASS
    assert judge(*lost(4_999), *kill(), cut("lost", longest=4_000)).verdict is Verdict.FAIL


@pytest.mark.parametrize(("took", "told"), [(("lost",), Verdict.PASS), ((), Verdict.FAIL)])
def test_a_job_that_a_worker_starts_from_memory_was_lost_with_its_bytes(took, told):
    parts = (
        *lost(9_600), *kill(), cut(*took), drills.started("lost", 10_500, starts=2),
        *kill(at=20_000, number=2), cut(at=20_000, number=2),
    )  # fmt: skip
    seen = left(*parts)
    (loss,) = losses.losses(account(seen.events, seen.survey))
    assert (loss.kill is not None and loss.kill.round == 1) is bool(took)
    assert judge(*parts).verdict is told


def test_a_job_that_only_the_memory_had_is_lost_to_that_kill_though_a_worker_went_on_with_it():
    late = drills.started("lost", AT + 500, starts=2)
    assert judge(*lost(9_600), *kill("lost"), late).verdict is Verdict.PASS
    assert judge(*lost(9_600), *kill(), late).verdict is Verdict.FAIL


def test_what_one_kill_left_and_the_next_one_misses_was_not_held_back():
    """Whatever mended the files in between took it."""
    again = kill("lost", at=AT + 1_000, number=2)
    assert judge(*lost(AT - 10), *kill(), *again).verdict is Verdict.FAIL
    assert judge(*lost(AT + 200), *kill(), *again).verdict is Verdict.PASS


def late_reply(at: int) -> tuple[Event, ...]:
    return Intent(AT - 1_100, "lost", "queue", "plain"), Acknowledged(at, "lost", "1")


def test_a_reply_that_is_read_when_the_server_serves_again_belongs_to_the_cut_that_took_the_job():
    assert judge(*late_reply(SERVED + 155), *kill(), cut("lost")).verdict is Verdict.PASS
    assert judge(*late_reply(SERVED + 155), *kill(), cut("other")).verdict is Verdict.FAIL
    much_later = late_reply(SERVED + READ_WITHIN)
    assert judge(*much_later, *kill(), cut("lost")).verdict is Verdict.FAIL


@pytest.mark.parametrize("pending", [False, None])
def test_without_evidence_it_is_unknown_of_which_side_a_late_reply_is(pending):
    unread = kill(read=False, pending=pending)
    assert judge(*late_reply(SERVED + 155), *unread).verdict is Verdict.UNKNOWN
    assert judge(*late_reply(SERVED + READ_WITHIN), *unread).verdict is Verdict.FAIL
    asked_later = drills.acknowledged("lost", SERVED + 155)
    assert judge(*asked_later, *unread).verdict is Verdict.FAIL


def test_an_add_that_no_file_had_may_have_been_sent_again_before_its_late_reply():
    assert judge(*late_reply(SERVED + 155), *kill("lost")).verdict is Verdict.UNKNOWN
    assert judge(*late_reply(SERVED + 155), *kill()).verdict is Verdict.FAIL


def reused(*, went_on_at: int | None, add_at: int = SERVED + 100) -> tuple[Event, ...]:
    """A job with the id of one of before the kill, at which a worker was seen, or was not."""
    went_on = () if went_on_at is None else (drills.done("old", went_on_at, job_id="7"),)
    return (
        *drills.acknowledged("old", 9_600, "7"), *kill("old"), *lost(add_at, "7"), *went_on,
    )  # fmt: skip


def test_a_job_that_a_worker_took_for_one_of_before_with_its_id_is_told_so():
    assert judge(*reused(went_on_at=SERVED + 120)).found == (
        (Verdict.PASS, f"1 acknowledged job LOST {verdict.REUSED}"),
    )
    completed = SurveyedJob("lost", "7", State.COMPLETED)
    (reason,) = judge(*reused(went_on_at=SERVED + 120), completed).reasons
    assert reason.endswith(verdict.REUSED)


@pytest.mark.parametrize("went_on_at", [None, 9_700])
def test_an_id_that_came_again_excuses_nothing_where_no_worker_went_on_with_it(went_on_at):
    assert judge(*reused(went_on_at=went_on_at)).verdict is Verdict.FAIL


def test_a_worker_that_went_on_is_the_reason_also_where_another_kill_follows():
    parts = (*reused(went_on_at=SERVED + 120), *kill(at=50_000, number=2))
    assert judge(*parts).verdict is Verdict.PASS


def test_after_a_lost_volume_the_ids_that_begin_again_excuse_nothing():
    before = [
        one
        for number in range(1, 21)
        for one in (
            *drills.acknowledged(f"old{number}", 9_000 + number, str(number)),
            drills.done(f"old{number}", 9_500 + number, job_id=str(number)),
        )
    ]
    after = [
        one
        for number in range(1, 21)
        for one in drills.acknowledged(f"new{number}", 11_000 + number, str(number))
    ]
    empty = Destroyed(AT, 1, 1000, everything=True)
    assert judge(*before, *kill(read=False), empty, *after).verdict is Verdict.FAIL


def test_what_was_not_read_at_a_kill_is_not_taken_for_read():
    assert not Killed(1, 1, 7, 0, fsync_pending=False).files_read
