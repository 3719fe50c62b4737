import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sturdis.core.aof import resp
from sturdis.core.aof import scan as scans
from sturdis.core.aof.scan import Scan, Tail, scan
from tests.core.append_only import EXEC, MULTI, UNITS, command, pieces

SET = command(b"SET", b"k", b"v")
STAMP = b"#TS:1795458415\r\n"
BIG = command(b"SET", b"k", b"v" * scans.FAST_FROM)
"""Behind it the fast expression is used."""

CUTS = st.lists(st.integers(0, 10_000), max_size=6)


def boundary(units: list[bytes], cut: int) -> int:
    """Give the end of the last unit that is whole before `cut`."""
    ends = itertools.accumulate(map(len, units), initial=0)
    return max(end for end in ends if end <= cut)


@given(UNITS, st.data())
def test_the_safe_end_of_a_cut_file_is_the_end_of_its_last_whole_unit(units, data):
    whole = b"".join(units)
    cut = data.draw(st.integers(0, len(whole)))
    seen = scan([whole[:cut]])
    assert seen.safe_end == boundary(units, cut)
    assert (seen.tail is Tail.NONE) is (seen.safe_end == cut)


@given(UNITS, st.data())
@settings(max_examples=30, deadline=None)
def test_the_fast_expression_changes_no_answer(units, data):
    whole = b"".join(units)
    cut = data.draw(st.integers(0, len(whole)))
    slow, fast = scan([whole[:cut]]), scan([BIG, whole[:cut]])
    assert fast == Scan(
        slow.size + len(BIG), slow.safe_end + len(BIG), slow.tail, slow.fault + len(BIG)
    )


@given(UNITS, st.binary(max_size=30), CUTS)
def test_how_a_file_is_parted_changes_no_answer(units, rest, cuts):
    whole = b"".join(units) + rest
    assert scan(pieces(whole, cuts)) == scan([whole])


@given(UNITS, st.integers(1, 300), st.data())
def test_zero_bytes_behind_any_cut_are_told_and_cut(units, count, data):
    whole = b"".join(units)
    cut = data.draw(st.integers(0, len(whole)))
    seen = scan([whole[:cut] + b"\0" * count])
    # inside an argument zero bytes are bytes like others
    assert seen.safe_end >= boundary(units, cut)
    assert seen.tail is not Tail.NONE or seen.safe_end == seen.size


@given(UNITS, UNITS, st.sampled_from([b"*0\r\n", b"\r\n", b"$1\r\n", b"+OK\r\n", b"\0*"]))
def test_what_is_no_command_is_found_where_it_stands(before, behind, odd):
    whole = b"".join(before)
    seen = scan([whole, odd, b"".join(behind), b"."])
    assert (seen.safe_end, seen.tail) == (len(whole), Tail.CORRUPT)
    assert len(whole) <= seen.fault < len(whole) + len(odd)


def test_every_cut_of_a_transaction_is_told_by_its_kind():
    block = MULTI + SET + EXEC
    for cut in range(1, len(block)):
        seen = scan([SET, block[:cut]])
        kind = Tail.TORN_COMMAND if cut < len(MULTI) else Tail.OPEN_TRANSACTION
        assert seen == Scan(len(SET) + cut, len(SET), kind, len(SET) + cut), cut
        seen = scan([SET, block[:cut], bytes(100)])
        assert seen == Scan(len(SET) + cut + 100, len(SET), Tail.NULS, seen.fault), cut
        assert len(SET) + cut <= seen.fault <= len(SET) + cut + len(b"MULTI")


@pytest.mark.parametrize(
    ("text", "safe_end", "tail", "fault"),
    [
        (b"", 0, Tail.NONE, 0),
        (STAMP, len(STAMP), Tail.NONE, len(STAMP)),
        (STAMP[:-1], 0, Tail.TORN_COMMAND, len(STAMP) - 1),
        (STAMP[:5] + b"\0\0", 0, Tail.NULS, 5),
        (b"#" + b"x" * 1022 + b"\n", 0, Tail.CORRUPT, 1022),
        (b"\0\0", 0, Tail.NULS, 0),
        (SET + EXEC, len(SET), Tail.CORRUPT, len(SET)),
        (SET + MULTI + SET + MULTI, len(SET), Tail.CORRUPT, 2 * len(SET) + len(MULTI)),
        (MULTI + STAMP + SET + EXEC, len(MULTI + STAMP + SET + EXEC), Tail.NONE, 72),
        (SET[:-1] + b"x", 0, Tail.CORRUPT, len(SET) - 1),
        (SET[:-2] + b"x", 0, Tail.CORRUPT, len(SET) - 2),
        (b"*3\r\n$3\r\nSET\r\n*1", 0, Tail.CORRUPT, 13),
        (b"*03\r\n", 0, Tail.CORRUPT, 1),
        (b"*3\n", 0, Tail.CORRUPT, 2),
        (b"*2\r\n$3\r\nSET\r\n$01\r\n", 0, Tail.CORRUPT, 15),
        (b"*2\r\n$3\r\nSET\r\n$-1\r\n", 0, Tail.CORRUPT, 14),
        (b"multi", 0, Tail.CORRUPT, 0),
        (command(b"multi") + SET, 0, Tail.OPEN_TRANSACTION, 42),
    ],
)
def test_an_end_is_named_for_what_it_is(text, safe_end, tail, fault):
    assert scan([text]) == Scan(len(text), safe_end, tail, fault)


def test_writes_behind_an_open_transaction_are_not_taken_for_a_part_of_it():
    torn = SET + MULTI + SET
    assert scan([torn]).tail is Tail.OPEN_TRANSACTION
    assert scan([torn, STAMP, SET]) == Scan(
        len(torn + STAMP + SET), len(SET), Tail.CORRUPT, len(torn)
    )


def test_a_length_that_swallows_the_commands_behind_it_is_not_taken_for_a_torn_one():
    damaged = SET + SET.replace(b"$1\r\nk", b"$991\r\nk")
    assert scan([damaged]).tail is Tail.TORN_COMMAND
    seen = scan([damaged, SET])
    assert (seen.safe_end, seen.tail, seen.fault) == (len(SET), Tail.CORRUPT, len(damaged))


def test_a_long_argument_is_held_once_however_small_the_chunks():
    chunk = bytes(1 << 16)
    many = 512  # 32 MiB; joined at every chunk, 8 GiB would be copied
    head = b"*2\r\n$3\r\nSET\r\n$%d\r\n" % (many * len(chunk))
    seen = scan(itertools.chain([head], itertools.repeat(chunk, many), [b"\r\n"]))
    assert (seen.tail, seen.safe_end) == (Tail.NONE, seen.size)
    assert resp.CRLF == b"\r\n"
