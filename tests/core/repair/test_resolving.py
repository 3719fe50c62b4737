import pytest

from sturdis.core.repair import drafting
from sturdis.core.repair.jobs import REMOVED, Job, Told
from sturdis.core.repair.resolving import MARGIN, Resolved, resolve
from sturdis.core.repair.surveys import Queue, Survey

BASE = b"bull:mails"


def queue(counter: int = 9, *, hashes: str = "", without: str = "", started: str = "",
          **states: str) -> Queue:  # fmt: skip
    """Give a queue; ids are one letter each, and states named with `_` for `-`."""
    ids = {part.replace("_", "-").encode(): _ids(some) for part, some in states.items()}
    known = frozenset(_ids(hashes)).union(*ids.values()) if hashes != "none" else frozenset()
    return Queue(0, BASE, ids, known, frozenset(_ids(without)), frozenset(_ids(started)), counter)


def _ids(some: str) -> tuple[bytes, ...]:
    return tuple(one.encode() for one in some)


def resolved(now: Queue, told: dict[str, Told] | None = None, before: Queue | None = None,
             lost: bytes = b"") -> Resolved:  # fmt: skip
    known = {Job(0, BASE, one.encode()): where for one, where in (told or {}).items()}
    earlier = Survey((before,), {0: 1}) if before else None
    named = drafting.highest_ids([lost], [BASE])
    return resolve(earlier, Survey((now,), {0: 1}), known, named)


def commands(found: Resolved) -> list[str]:
    return [str(one).replace("bull:mails:", "") for one in found.commands]


def test_the_counter_is_raised_above_every_id_that_any_byte_names():
    assert commands(resolved(queue(5, wait="7"))) == [f"INCRBY id {MARGIN + 2}"]
    for lost in (b"XX$12\r\nbull:mails:40\r\nXX", b"bull:mails:40:lock", b'{"k":"bull:mails:40"}'):
        assert commands(resolved(queue(5), lost=lost)) == [f"INCRBY id {MARGIN + 35}"]


@pytest.mark.parametrize(
    "lost",
    [b"$43\r\nbull:mails:366082767759454c8e61f2ab9d0c7713\r\n", b"bull:mails:3660827\0\0",
     b"bull:mails:366082", b"bull:others:40\r\n", b"bull:mails:40-x\r\n"],
)  # fmt: skip
def test_digits_that_are_no_whole_id_do_not_raise_the_counter(lost):
    assert resolved(queue(5), lost=lost) == resolved(queue(5))


def test_a_number_that_no_counter_reaches_does_not_raise_it_and_is_told_of():
    below, beyond = 10**13 - 1, 10**13
    high = Queue(0, BASE, {}, frozenset((b"%d" % beyond,)), frozenset(), frozenset(), 5)
    for found in (
        resolved(queue(5), lost=b"bull:mails:%d\r\n" % beyond),
        resolved(high, before=high),
    ):
        assert commands(found) == [f"INCRBY id {MARGIN}"]
        (told,) = found.undecided
        assert told.startswith(f"bull:mails: the number {beyond} is named as an id")
    found = resolved(queue(5), lost=b"bull:mails:%d\r\n" % below)
    assert (commands(found), found.undecided) == ([f"INCRBY id {below - 5 + MARGIN}"], ())


def test_a_job_in_two_states_stays_where_the_last_unit_puts_it():
    found = resolved(queue(wait="a", active="a"), {"a": Told(b"wait")})
    assert commands(found)[:-1] == ["LREM active 1 a"]


def test_a_job_in_two_states_that_no_unit_names_stays_in_the_later_one():
    assert commands(resolved(queue(wait="a", completed="a")))[:-1] == ["LREM wait 1 a"]


def test_a_job_that_is_twice_in_a_list_is_left_there_once():
    assert commands(resolved(queue(wait="aba")))[:-1] == ["LREM wait 1 a"]


def test_a_job_is_moved_to_where_the_last_unit_puts_it():
    found = resolved(queue(wait="a"), {"a": Told(b"delayed", b"77")})
    assert commands(found)[:-1] == ["LREM wait 1 a", "ZADD delayed 77 a"]


def test_a_job_that_waits_in_a_paused_queue_stays_there():
    assert commands(resolved(queue(paused="a"), {"a": Told(b"wait")}))[:-1] == []


def test_a_job_that_was_removed_leaves_its_state():
    found = resolved(queue(completed="a"), {"a": Told(REMOVED)})
    assert commands(found)[:-1] == ["ZREM completed a"]


def test_an_id_without_its_hash_leaves_its_state():
    assert commands(resolved(queue(hashes="none", wait="ab")))[:-1] == [
        "LREM wait 1 a", "LREM wait 1 b",
    ]  # fmt: skip


def test_what_wakes_workers_is_no_job():
    now = Queue(0, BASE, {b"wait": (b"0:0",)}, frozenset(), frozenset(), frozenset(), 9)
    assert commands(resolved(now))[:-1] == []


def test_a_job_without_what_it_has_to_do_is_not_given_to_a_worker():
    found = resolved(queue(wait="a", without="a"))
    assert commands(found)[:-1] == ["LREM wait 1 a"]
    assert found.undecided == ("bull:mails:a: what it had to do is lost",)


def test_a_job_in_no_state_that_never_began_waits_again():
    assert commands(resolved(queue(hashes="a")))[:-1] == ["LPUSH wait a"]


def test_a_job_in_no_state_that_had_begun_is_left_to_people():
    found = resolved(queue(hashes="a", started="a"))
    assert (commands(found)[:-1], len(found.undecided)) == ([], 1)


def test_a_job_that_was_in_no_state_before_the_damage_is_left_alone():
    assert commands(resolved(queue(hashes="a"), before=queue(hashes="a")))[:-1] == []
