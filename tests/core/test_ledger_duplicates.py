"""A job that was started more often than it needed to be, and why."""

from collections import Counter

import pytest

from sturdis.core.drill import ledger
from sturdis.core.drill.duplicates import Cause
from tests.core.drills import acknowledged, done, drill, started

ONCE = started("a", 20)


@pytest.mark.parametrize(
    ("again", "causes"),
    [
        ((), {}),
        ((started("a", 40, starts=2),), {Cause.REDELIVERY: 1}),
        ((started("a", 40, starts=2, attempts=1),), {}),
        ((started("a", 40, starts=3, attempts=1),), {}),
        ((started("a", 40, starts=1),), {Cause.REPLAY: 1}),
        ((started("a", 40, job_id="2"),), {Cause.DOUBLE_ADD: 1}),
        (
            (started("a", 40, starts=2, attempts=1), started("a", 50, starts=3, attempts=1)),
            {Cause.REDELIVERY: 1},
        ),
        # a worker told late of its start, and another had the job meanwhile
        ((started("a", 40, starts=3), started("a", 50, starts=2)), {Cause.REDELIVERY: 2}),
        # rolled back to before the first start, and then retried on purpose as at first
        (
            (
                started("a", 40, starts=2, attempts=1),
                started("a", 50, starts=1, attempts=0),
                started("a", 60, starts=2, attempts=1),
            ),
            {Cause.REPLAY: 2},
        ),
        (
            (started("a", 40, job_id="2"), started("a", 50, job_id="2", starts=2)),
            {Cause.DOUBLE_ADD: 1, Cause.REDELIVERY: 1},
        ),
    ],
)
def test_a_start_too_many_has_a_cause(again, causes):
    left = drill(*acknowledged("a"), ONCE, *again)
    assert ledger.account(left.events, left.survey).duplicates == Counter(causes)


def test_a_job_done_twice_is_counted_once_however_often_it_started():
    left = drill(
        *acknowledged("a"), ONCE, done("a", 30), started("a", 40, starts=2),
        done("a", 50, starts=2), started("a", 60, starts=3), done("a", 70, starts=3),
        *acknowledged("b"), started("b", 20), started("b", 40, starts=2), done("b", 50, starts=2),
    )  # fmt: skip
    assert ledger.account(left.events, left.survey).done_twice == 1
