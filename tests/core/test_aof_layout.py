"""Where units and their frame are, held against increments whose units are known."""

from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.aof.layout import EXEC, MULTI, Span, layout

arguments = st.lists(st.binary(max_size=20), min_size=1, max_size=4).filter(
    lambda words: words[0].upper() not in (b"MULTI", b"EXEC")
)


def command(words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(one), one) for one in words)


commands = arguments.map(command)
transactions = st.lists(commands, min_size=1, max_size=3).map(
    lambda inner: MULTI + b"".join(inner) + EXEC
)
units = st.lists(commands | transactions, max_size=6)


@given(units, st.booleans())
def test_units_are_found_where_they_were_written(written, stamped):
    stamp = b"#TS:1764000000\r\n" if stamped else b""
    found = layout(b"".join(stamp + one for one in written)).units
    content = b"".join(stamp + one for one in written)
    assert [content[one.start : one.end] for one in found] == written


@given(units, st.data())
def test_a_unit_that_breaks_off_is_none(written, data):
    content = b"".join(written)
    cut = data.draw(st.integers(0, len(content)))
    whole = [one for one in layout(content).units if one.end <= cut]
    assert [*layout(content[:cut]).units] == whole


@given(arguments)
def test_what_is_no_argument_is_the_frame(words):
    content = command(words)
    framed = set(layout(content).frame_bytes(0))
    assert bytes(content[at] for at in range(len(content)) if at not in framed) == b"".join(words)


def test_the_unit_of_a_byte_is_its_transaction():
    content = command([b"SET", b"a", b"1"]) + MULTI + command([b"INCR", b"n"]) + EXEC
    found = layout(content)
    start = len(command([b"SET", b"a", b"1"]))
    assert found.unit_at(start + len(MULTI) + 3) == Span(start, len(content))
    assert found.unit_at(len(content)) is None
