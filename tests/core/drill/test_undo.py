"""The undo journal as text: what is open is known from every prefix of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.drill import undo
from sturdis.core.drill.undo import EndProcess, Noted, RemoveFolder, Undone

STEPS: list[undo.Step] = [EndProcess(7, "12"), RemoveFolder("/run/data"), EndProcess(8, "13")]
entries = st.lists(st.booleans(), max_size=8)


def journal(order: list[bool]) -> tuple[list[undo.Entry], list[int]]:
    """Make entries: True notes a step, False undoes the last that is open."""
    written: list[undo.Entry] = []
    open_ones: list[int] = []
    for number, noting in enumerate(order, start=1):
        if noting:
            written.append(Noted(number, STEPS[number % 3]))
            open_ones.append(number)
        elif open_ones:
            written.append(Undone(open_ones.pop()))
    return written, open_ones


@given(entries)
def test_what_is_open_comes_last_first(order):
    written, open_ones = journal(order)
    left = undo.still_open(b"".join(map(undo.encode, written)))
    assert [one.number for one in left] == sorted(open_ones, reverse=True)


@given(entries, st.integers(0, 40))
def test_a_torn_last_line_was_never_done(order, cut):
    written, open_ones = journal(order)
    whole = b"".join(map(undo.encode, written))
    torn = undo.encode(Noted(99, STEPS[0]))[: -1 - cut]
    assert [one.number for one in undo.still_open(whole + torn)] == open_ones[::-1]


@pytest.mark.parametrize("garbage", [b"{nonsense\n", b"\xff\n", b"\n", b'{"entry":"noted"}\n'])
@given(order=entries, place=st.integers(0, 8))
def test_a_line_that_is_no_entry_is_named_and_hides_no_other(garbage, order, place):
    written, open_ones = journal(order)
    lines = list(map(undo.encode, written))
    place = min(place, len(lines))
    spoilt = b"".join([*lines[:place], garbage, *lines[place:]])
    assert [one.number for one in undo.still_open(spoilt)] == open_ones[::-1]
    assert undo.damaged(spoilt) == [place + 1]
