import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.aof.layout import Span
from sturdis.core.aof.scan import scan
from sturdis.core.repair import commands, regions
from sturdis.core.repair.regions import Kind
from tests.core.append_only import EXEC, MULTI, command
from tests.core.repair.mails import SELECT, add, complete, fetch, flipped

PLAIN = st.builds(
    lambda key, value: command(b"SET", key, value),
    st.binary(min_size=1, max_size=20),
    st.one_of(st.binary(max_size=60), st.sampled_from([EXEC, MULTI, command(b"SET", b"a", b"b")])),
)
WHOLE = st.lists(
    st.one_of(
        PLAIN, st.sampled_from([b"#TS:1795458415\r\n"]),
        st.lists(PLAIN, min_size=2, max_size=4).map(lambda some: MULTI + b"".join(some) + EXEC),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


def part(text: bytes) -> regions.Regions:
    return regions.part(text, commands.KNOWN)


def kept(text: bytes) -> bytes:
    return b"".join(text[span.start : span.end] for span in part(text).kept)


@given(WHOLE)
def test_a_whole_file_is_kept_whole(units):
    text = b"".join(units)
    assert part(text).kept == (Span(0, len(text)),)


@given(WHOLE, st.data())
def test_whatever_is_damaged_what_is_kept_is_whole_and_begins_with_the_safe_part(units, data):
    text = b"".join(units)
    at = data.draw(st.integers(0, len(text)))
    gone = data.draw(st.integers(0, 60))
    instead = data.draw(st.binary(max_size=40))
    damaged = text[:at] + instead + text[at + gone :]
    found = part(damaged)
    left = kept(damaged)
    assert scan([left]).excess == 0
    assert found.kept[0].start == 0
    ends = [span.end for span in found.kept]
    assert ends == sorted(ends)
    covered = sorted(
        [(one.start, one.end) for one in found.kept] + [(one.start, one.end) for one in found.gaps]
    )
    assert covered[0][0] == 0
    assert all(one[1] == other[0] for one, other in itertools.pairwise(covered))
    assert covered[-1][1] == len(damaged)


@given(st.integers(2, 9), st.data())
def test_one_flipped_bit_in_what_frames_a_unit_costs_that_unit_alone(count, data):
    units = [add(number) for number in range(1, count + 1)]
    hurt = data.draw(st.integers(0, count - 1))
    start = sum(map(len, units[:hurt]))
    frames = [n for n, byte in enumerate(units[hurt]) if byte in b"*$\r\n"]
    text = flipped(b"".join(units), start + data.draw(st.sampled_from(frames)))
    assert kept(text) == b"".join(units[:hurt] + units[hurt + 1 :])


def test_a_command_in_a_jobs_data_is_never_taken_for_one_of_the_file():
    evil = add(2, command(b"FLUSHALL", b"x") * 9 + SELECT)
    units = [add(1), evil, add(3)]
    text = b"".join(units)
    for at in (len(units[0]), len(units[0]) + 16, len(units[0]) + 25):
        assert kept(flipped(text, at)) == units[0] + units[2], at


@pytest.mark.parametrize("odd", [b"SEU", b"MUKTI", b"HMSES"])
def test_a_name_that_no_server_knows_is_damage(odd):
    whole = command(b"SET", b"k", b"v")
    assert kept(whole + command(odd, b"k", b"v") + whole) == whole + whole


@pytest.mark.parametrize("name", [b"JSON.SET", b"json.set", b"XNEWDEL", b"CF.RESERVE" * 3])
def test_a_command_that_no_table_names_is_no_damage(name):
    other = command(name, b"doc", b"$", b"1")
    text = add(1) + other + MULTI + other + EXEC + add(2)
    assert part(text).kept == (Span(0, len(text)),)
    hurt = add(1) + flipped(add(2), 20) + other + add(3)
    assert kept(hurt) == add(1) + other + add(3)


def test_a_name_that_stands_there_again_is_no_damage_though_it_is_like_a_known_one():
    one, other = command(b"HMSES", b"k", b"v"), command(b"HMSES", b"l", b"w")
    assert kept(add(1) + one + add(2) + other) == add(1) + one + add(2) + other


def test_a_name_that_the_server_has_is_no_damage_though_it_is_like_another():
    text = add(1) + command(b"SEU", b"k", b"v") + add(2)
    found = regions.part(text, commands.KNOWN | {b"SEU": 3})
    assert found.kept == (Span(0, len(text)),)


def test_a_name_that_is_made_of_two_places_goes_with_the_bytes_behind_it():
    multi, rest = b"*1\r\n$5\r\nMU", b"ats\r\n$1\r\n1\r\n"
    assert kept(add(1) + multi + rest + EXEC + add(2)) == add(1) + add(2)
    of_another = b"ats\r\n" + command(b"SET", b"k", b"v") + EXEC
    assert kept(add(1) + multi + of_another + add(2)) == add(1) + add(2)


def test_a_command_that_no_table_names_is_kept_before_damage_where_it_is_a_modules():
    for name, times in [(b"JSON.SET", 1), (b"XNEWDEL", 2)]:
        other = command(name, b"doc", b"1") * times
        assert kept(add(1) + other + b"garbage" + add(2)) == add(1) + other + add(2)


def test_a_command_that_no_table_names_is_kept_where_whole_units_stand_before_the_damage():
    text = add(1) + command(b"XNEWDEL", b"doc") + add(2)
    assert kept(text + b"garbage" + add(3)) == text + add(3)
    assert kept(text + EXEC + add(3)) == text + add(3)


def test_a_command_with_too_few_words_is_damage():
    whole = command(b"SET", b"k", b"v")
    assert kept(whole + command(b"LREM", b"k") + whole) == whole + whole


def test_the_rest_of_a_transaction_whose_multi_is_lost_goes_with_it():
    units = [add(1), add(2), add(3)]
    text = flipped(b"".join(units), len(units[0]) + 9)  # in MULTI's name
    assert kept(text) == units[0] + units[2]


def test_an_exec_alone_goes_and_nothing_else():
    plain = command(b"SET", b"k", b"v")
    assert kept(plain + EXEC + plain) == plain + plain


def test_a_transaction_that_never_ends_goes_and_the_next_stays():
    opened = MULTI + command(b"SET", b"a", b"1") + command(b"SET", b"b", b"1")
    assert kept(add(1) + opened + add(2)) == add(1) + add(2)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (add(1) + add(2)[:-3], Kind.OPEN),
        (add(1) + add(2)[:5], Kind.TORN),
        (add(1) + bytes(4096), Kind.NULS),
        (add(1) + b"garbage" * 9, Kind.CORRUPT),
    ],
)
def test_what_stands_at_the_end_is_told_by_its_kind(text, kind):
    (gap,) = part(text).gaps
    assert (gap.start, gap.end, gap.kind) == (len(add(1)), len(text), kind)


def test_a_region_that_stands_there_twice_is_kept_once():
    units = [step(number) for number in range(1, 9) for step in (add, fetch, complete)]
    text = b"".join(units)
    start, end = len(b"".join(units[:7])) + 50, len(b"".join(units[:15])) + 30
    twice = text[:end] + text[start:]
    lost = [one for one in units if one not in kept(twice)]
    assert kept(twice).count(b"XADD") == len(units) - len(lost)
    assert len(lost) <= 1
    assert Kind.DUPLICATE in {gap.kind for gap in part(twice).gaps}


def test_several_damages_in_one_file_are_all_passed():
    units = [add(number) for number in range(1, 40)]
    text = b"".join(units)
    size = len(units[0])
    for at in (3, 14, 25):
        text = flipped(text, sum(map(len, units[:at])) + 20)
    assert kept(text).count(b"HMSET") == 36, size


def test_plain_commands_between_two_damages_are_kept_where_an_exec_ends_the_hurt_transaction():
    plain = command(b"SET", b"k", b"v") + command(b"SET", b"l", b"v")
    broken = flipped(add(3), 5)
    for at in range(len(MULTI) + 1, len(add(2)) - len(EXEC)):
        if add(2)[at] in b"*$":
            text = add(1) + flipped(add(2), at) + plain + broken + add(4)
            assert kept(text) == add(1) + plain + add(4), at


def test_commands_between_two_damages_go_where_they_may_belong_to_a_hurt_transaction():
    plain = command(b"SET", b"k", b"v") + command(b"SET", b"l", b"v")
    opened = flipped(MULTI, 8) + plain
    assert kept(add(1) + opened + flipped(plain, 0)[:9] + EXEC + add(4)) == add(1) + add(4)


def test_a_length_beyond_all_reason_is_not_waited_for():
    text = add(1) + b"*3\r\n$3\r\nSET\r\n$9999999999\r\nx\r\n" + add(2)
    assert kept(text) == add(1) + add(2)
