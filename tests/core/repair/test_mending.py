import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.aof.scan import run, scan
from sturdis.core.repair import commands, mending
from sturdis.core.repair.jobs import Job
from sturdis.core.repair.mended import Increment, Mending
from tests.core.append_only import command
from tests.core.repair.mails import BASE, SELECT, add, complete, fetch, flipped


def mend(*texts: bytes, deep: bool = False) -> Mending:
    files = [Increment(f"{n}.incr.aof", one) for n, one in enumerate(texts)]
    return mending.mend(files, commands.KNOWN, deep=deep)


def written(mended: Mending, *texts: bytes) -> bytes:
    return b"".join(
        b"".join(one.chunks(text)) for one, text in zip(mended.files, texts, strict=True)
    )


HEAD = SELECT + add(1) + add(2) + add(3)
LOST = fetch(1)
REST = fetch(2) + complete(2)


def test_without_damage_nothing_is_changed():
    assert not mend(HEAD + LOST + REST).damaged


def test_behind_a_gap_a_blind_command_takes_the_job_that_its_unit_names():
    text = flipped(HEAD + LOST + REST, len(HEAD) + 5)
    mended = mend(text)
    after = written(mended, text)
    assert b"RPOPLPUSH" not in after
    assert command(b"LREM", BASE + b":wait", b"-1", b"2") in after
    assert command(b"LPUSH", BASE + b":active", b"2") in after
    assert mended.explicit == 1
    assert mended.told[Job(0, BASE, b"2")].state == b"completed"
    assert scan([after]).excess == 0


def test_a_blind_command_whose_job_nothing_names_is_left_out_and_told_of():
    blind = command(b"RPOPLPUSH", BASE + b":wait", BASE + b":active")
    text = flipped(HEAD + LOST, len(HEAD) + 5) + blind + add(4)
    mended = mend(text)
    assert b"RPOPLPUSH" not in written(mended, text)
    (note,) = mended.notes
    assert note.offset == len(HEAD + LOST)
    assert "which job it took" in note.why


def test_a_command_relative_to_a_key_that_lost_bytes_name_is_left_out():
    broken = flipped(command(b"SET", b"visits", b"9"), 0)
    text = HEAD + broken + command(b"INCR", b"visits") + command(b"INCR", b"other") + add(4)
    mended = mend(text)
    after = written(mended, text)
    assert command(b"INCR", b"visits") not in after
    assert command(b"INCR", b"other") in after
    assert [note.command for note in mended.notes] == ["INCR visits"]


def test_what_follows_a_gap_is_written_for_the_database_of_its_keys():
    two = command(b"SELECT", b"2")
    text = HEAD + two + command(b"SET", b"cache:1", b"v") + flipped(LOST, 5) + REST
    after = written(mend(text), text)
    assert after.index(SELECT, len(HEAD)) < after.index(complete(2))


def test_units_whose_database_cannot_be_known_are_left_out_and_told_of():
    text = (
        HEAD + command(b"SELECT", b"2") + command(b"SET", b"a", b"v")
        + command(b"SELECT", b"3") + flipped(LOST, 5) + command(b"SET", b"new", b"v") + add(4)
    )  # fmt: skip
    other = b"".join(command(b"SET", b"b", b"v") for _ in range(2))
    lost = text[: -len(add(4))] + other
    mended = mend(lost)
    assert command(b"SET", b"new", b"v") not in written(mended, lost)
    assert {note.why for note in mended.notes} == {"its database is not known: SELECT was lost"}


@pytest.mark.parametrize("odd", [b"q", b"\xb2", b"-"])
def test_a_select_that_a_server_does_not_take_changes_no_database(odd):
    text = HEAD + flipped(LOST, 5) + REST + command(b"SELECT", odd) + fetch(3) + complete(3)
    mended = mend(text)
    assert command(b"SELECT", odd) in written(mended, text)
    assert mended.told[Job(0, BASE, b"3")].state == b"completed"


def test_what_is_loaded_behind_a_lost_file_is_taken_in_context():
    files = [Increment("2.incr.aof", SELECT + REST, lost_before=True)]
    mended = mending.mend(files, commands.KNOWN)
    assert mended.explicit == 1


def test_whole_units_that_stand_there_twice_are_found_when_all_are_read():
    once = [add(4), fetch(1), complete(1)]
    text = HEAD + b"".join(once) + b"".join(once) + add(5)
    mended = mend(text, deep=True)
    assert mended.duplicates == 3
    assert written(mended, text).count(add(4)) == 1


@given(st.data())
def test_what_is_written_is_whole_and_invents_no_unit(data):
    steps = [step(n) for n in range(1, 12) for step in (add, fetch, complete)]
    text = SELECT + b"".join(steps)
    at = data.draw(st.integers(0, len(text) - 1))
    gone = data.draw(st.integers(0, 400))
    damaged = text[:at] + data.draw(st.binary(max_size=200)) + text[at + gone :]
    mended = mend(damaged)
    after = written(mended, damaged)
    assert scan([after]).excess == 0
    safe = run([damaged], commands.KNOWN).scan.safe_end
    assert after[: min(safe, len(after))] == damaged[:safe] or not mended.damaged
    for number in range(1, 12):
        assert after.count(b"XADD") <= len(steps) + 1
        assert (add(number) in after) <= (add(number) in damaged)


def test_units_in_a_database_where_their_queue_does_not_belong_are_written_for_its_own():
    text = HEAD + command(b"SELECT", b"2") + command(b"SET", b"page:1", b"v") + REST
    strays = {(2, BASE): 0}
    files = [Increment("1.incr.aof", text)]
    mended = mending.mend(files, commands.KNOWN, deep=True, strays=strays)
    after = written(mended, text)
    assert after.index(SELECT, len(HEAD)) > after.index(b"page:1")
    assert mended.told[Job(0, BASE, b"2")].state == b"completed"
