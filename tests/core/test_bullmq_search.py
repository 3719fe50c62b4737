"""Telling BullMQ's queues from other keys."""

import pytest

from sturdis.core.bullmq import search
from sturdis.core.bullmq.search import Look, Queue
from sturdis.core.replies import ErrorReply

WRONG = ErrorReply("WRONGTYPE Operation against a key holding the wrong kind of value")
NOTHING = ((None, None, None), 0, 0, 0, None, None)
MAILS = Queue("bull", "mails")


def seen(events, overdue, next_job, *, paused=False):
    return Look(MAILS, paused, events, overdue, next_job)


@pytest.mark.parametrize(
    ("key", "queue"),
    [
        (b"bull:mails:meta", MAILS),
        (b"bull:mails:id", MAILS),
        (b"{a}:b:mails:id", Queue("{a}:b", "mails")),
        (b"bull:mails:id-1", None),
        (b"bull:mails:metadata", None),
        (b"mails:meta", None),
        (b"meta", None),
        (b"bull::meta", None),
        (b"bull:\xff:meta", None),
        (b"sturdis:verify:5f1c:probe:meta", None),
        (b"sturdis:verify", None),
    ],
)
def test_a_key_names_a_queue_or_none(key, queue):
    assert search.candidate(key) == queue


@pytest.mark.parametrize(
    ("replies", "found"),
    [
        (NOTHING, None),
        ((WRONG, 0, WRONG, WRONG, WRONG, WRONG), None),
        (((b"2.0", None, None), 0, 0, 0, None, None), None),
        (((b"bullmq:6.7.0", None, None), 0, 0, 0, None, None), seen(0, 0, None)),
        (((None, b"10000", b"1"), 0, 0, 0, None, None), seen(0, 0, None, paused=True)),
        ((WRONG, 2, WRONG, 3, b"7", None), seen(0, 3, "7")),
        (((None, None, None), 0, 5, 0, None, b"8"), seen(5, 0, "8")),
    ],
)
def test_a_name_is_a_queue_when_bullmqs_settings_or_lists_are_there(replies, found):
    assert search.look(MAILS, replies) == found


def test_what_is_looked_at_matches_what_is_read():
    assert len(search.questions(MAILS, 0)) == len(NOTHING)
