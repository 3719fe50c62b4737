from sturdis.core.repair.surveys import Queue, Survey

BASE = b"bull:mails"


def queue(db: int, counter: int, *ids: bytes, without: bytes = b"", lost: bytes = b"") -> Queue:
    states = {b"wait": ids}
    hashes = frozenset(ids) - {lost}
    return Queue(db, BASE, states, hashes, frozenset({without} - {b""}), frozenset(), counter)


def survey(*queues: Queue) -> Survey:
    return Survey(queues, {one.db: 1 for one in queues})


def test_a_queue_as_bullmq_leaves_it_shows_no_sign():
    assert list(survey(queue(0, 7, b"7", b"6")).signs()) == []


def test_each_sign_of_damage_is_told():
    for odd, words in [
        (queue(0, 7, b"7", b"7"), "in two states: bull:mails:7 (wait, wait)"),
        (queue(0, 7, b"7", lost=b"7"), "in a state, without its hash: bull:mails:7"),
        (queue(0, 7, b"7", without=b"7"), "in a state, without its data: bull:mails:7"),
        (queue(0, 6, b"7"), "an id above the counter: bull:mails has 7"),
    ]:
        assert list(survey(odd).signs()) == [words]


def test_two_queues_of_one_name_in_two_databases_are_no_sign():
    assert list(survey(queue(0, 7, b"7"), queue(1, 3, b"2"), queue(2, 9)).signs()) == []


def test_a_queue_that_cannot_have_begun_in_a_database_is_a_stray_there():
    assert survey(queue(0, 7, b"7"), queue(1, 1, b"9")).strays() == {(1, BASE): 0}
