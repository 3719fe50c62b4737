"""Every acknowledged job has one fate, and what is lost is a number."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.drill import events, ledger
from sturdis.core.drill.events import Acknowledged, Done, InDoubt, Intent, Rejected, State
from sturdis.core.drill.events import SurveyedJob as Found
from sturdis.core.drill.ledger import STALLED_REASON, Account, Fate, Unpromised
from tests.core.drills import Drill, acknowledged, any_event, done, drill, drills, started


def account(left: Drill) -> Account:
    return ledger.account(left.events, left.survey)


def uuids(left: Drill, kind: type[Acknowledged | Done | Intent]) -> set[str]:
    return {event.uuid for event in left.events if isinstance(event, kind)}


@given(drills)
def test_every_acknowledged_job_has_exactly_one_fate(left):
    entries = account(left).entries
    assert Counter(entry.uuid for entry in entries) == Counter(uuids(left, Acknowledged))
    assert {entry.fate for entry in entries} == account(left).fates.keys()
    assert sum(account(left).fates.values()) == len(entries)


@given(drills)
def test_every_job_asked_for_is_acknowledged_or_refused_or_in_doubt(left):
    told = account(left)
    assert told.asked == len(uuids(left, Intent))
    assert told.asked == len(told.entries) + told.unpromised.in_doubt + told.unpromised.rejected


@given(drills)
def test_lost_is_what_is_neither_done_nor_in_redis(left):
    there = uuids(left, Done) | {job.uuid for job in left.survey.jobs}
    lost = {entry.uuid for entry in account(left).of(Fate.LOST)}
    assert lost == uuids(left, Acknowledged) - there


@given(drills, st.randoms(use_true_random=False))
def test_a_log_read_twice_or_in_another_order_changes_nothing(left, random):
    again = [*left.events, *left.events]
    random.shuffle(again)
    assert ledger.account(again, left.survey) == account(left)


@given(drills)
def test_dropping_all_that_is_left_of_a_job_makes_it_lost(left):
    for entry in account(left).entries:
        events_left = [
            event
            for event in left.events
            if not (isinstance(event, Done) and event.uuid == entry.uuid)
        ]
        jobs_left = tuple(job for job in left.survey.jobs if job.uuid != entry.uuid)
        now = ledger.account(events_left, msgspec.structs.replace(left.survey, jobs=jobs_left))
        others = [(one.uuid, one.fate) for one in account(left).entries if one.uuid != entry.uuid]
        assert [(one.uuid, one.fate) for one in now.entries if one.uuid != entry.uuid] == others
        assert entry.uuid in {one.uuid for one in now.of(Fate.LOST)}


@given(drills)
def test_a_done_makes_any_acknowledged_job_processed(left):
    for entry in account(left).entries:
        now = ledger.account([*left.events, done(entry.uuid)], left.survey)
        assert entry.uuid in {one.uuid for one in now.of(Fate.PROCESSED)}


@pytest.mark.parametrize(
    ("state", "reason", "fate", "detail"),
    [
        (State.WAIT, "", Fate.PENDING, "wait"),
        (State.PAUSED, "", Fate.PENDING, "paused"),
        (State.ACTIVE, "", Fate.PENDING, "active"),
        (State.DELAYED, "", Fate.PENDING, "delayed"),
        (State.PRIORITIZED, "", Fate.PENDING, "prioritized"),
        (State.WAITING_CHILDREN, "", Fate.PENDING, "waiting-children"),
        (State.COMPLETED, "", Fate.UNTOLD, ""),
        (State.FAILED, "no such file", Fate.FAILED, "no such file"),
        (State.FAILED, STALLED_REASON, Fate.STALLED, STALLED_REASON),
        (State.ORPHAN, "", Fate.ORPHAN, ""),
    ],
)
def test_the_state_in_redis_decides_of_a_job_that_no_processor_did(state, reason, fate, detail):
    left = drill(*acknowledged("a"), Found("a", "1", state, reason))
    (entry,) = account(left).entries
    assert (entry.fate, entry.detail) == (fate, detail)


def test_of_two_copies_the_one_that_will_run_counts():
    copies = Found("a", "1", State.ORPHAN), Found("a", "2", State.WAIT)
    assert account(drill(*acknowledged("a"), *copies)).fates == {Fate.PENDING: 1}


def test_a_job_is_known_by_its_uuid_and_not_by_its_job_id():
    taken_over = drill(*acknowledged("a", 10), *acknowledged("b", 20), done("b"))
    assert [entry.uuid for entry in account(taken_over).of(Fate.LOST)] == ["a"]


def test_what_was_not_promised_is_counted_apart_and_never_lost():
    left = drill(
        Intent(1, "doubt", "queue", "plain"), InDoubt(2, "doubt", "Connection closed"),
        Intent(1, "doubt-there", "queue", "plain"), InDoubt(2, "doubt-there", "timeout"),
        Intent(1, "no-answer", "queue", "plain"),
        Intent(1, "refused", "queue", "plain"), Rejected(2, "refused", "OOM command not allowed"),
        Intent(1, "refused-there", "queue", "plain"), Rejected(2, "refused-there", "OOM command"),
        started("doubt-there"), Found("refused-there", "2", State.WAIT),
    )  # fmt: skip
    told = account(left)
    assert told.unpromised == Unpromised(in_doubt=3, in_doubt_there=1, rejected=2, rejected_there=1)
    assert (told.entries, told.asked) == ((), 5)


def test_a_parent_that_started_before_its_children_were_done_is_named():
    family = (
        *acknowledged("parent"),
        Intent(9, "child", "queue", "child", parent="parent"), Acknowledged(10, "child", "2"),
        started("parent", 50),
    )  # fmt: skip
    assert account(drill(*family, done("child", 50))).parents_early == ()
    assert account(drill(*family, done("child", 51))).parents_early == ("parent",)
    assert account(drill(*family)).parents_early == ("parent",)


def test_a_delayed_job_that_started_before_it_was_due_is_named():
    asked = Intent(1000, "a", "queue", "delayed", 500), Acknowledged(1001, "a", "1")
    assert account(drill(*asked, started("a", 1499))).delayed_early == ()  # clients round
    assert account(drill(*asked, started("a", 1498))).delayed_early == ("a",)
    assert account(drill(*asked)).last_due == 1500


def test_a_job_that_nobody_asked_for_is_named():
    assert account(drill(done("ghost"), Found("ghost", "1", State.COMPLETED))).strangers == (
        "ghost",
    )


@given(any_event)
def test_an_event_is_the_same_after_the_log(event):
    assert events.decode(events.encode(event)) == event


@given(any_event, st.data())
def test_a_part_of_a_line_is_no_event(event, data):
    line = events.encode(event)
    assert events.decode(line[: data.draw(st.integers(0, len(line) - 2))]) is None


@pytest.mark.parametrize(
    ("state", "fate"), [(State.FAILED, Fate.HELD), (State.ACTIVE, Fate.PENDING)]
)
def test_a_parent_is_held_by_a_child_that_failed_and_not_by_one_that_goes_on(state, fate):
    child = Intent(9, "child", "queue", "child", parent="parent")
    left = drill(
        *acknowledged("parent"), child, Acknowledged(10, "child", "2"), done("child", job_id="2"),
        Found("parent", "1", State.WAITING_CHILDREN), Found("child", "2", state, "Missing lock"),
    )  # fmt: skip
    assert {one.uuid: one.fate for one in account(left).entries} == {
        "parent": fate, "child": Fate.PROCESSED,
    }  # fmt: skip
