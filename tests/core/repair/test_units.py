import itertools

from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.repair import units
from tests.core.append_only import command

ARGUMENTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([
        b"\r\n", b"a\r\n", b"\r", b"a\r\n$1\r\nb", b"x\r\n*1\r\n$4\r\nEXEC",
        b"y" * 5000, b"z" * 99_000,
    ]),
)  # fmt: skip
COMMANDS = st.lists(st.tuples(st.sampled_from([b"SET", b"hset"]), ARGUMENTS, ARGUMENTS))


@given(COMMANDS, st.booleans())
def test_each_command_is_given_as_it_stands_with_its_place(some, is_stamped):
    stamp = b"#TS:1795458415\r\n" if is_stamped else b""
    texts = [command(*words) for words in some]
    text = b"".join(stamp + one for one in texts)
    ends = list(itertools.accumulate(len(stamp) + len(one) for one in texts))
    found = list(units.commands(text, 0, len(text)))
    assert [tuple(one.words) for one in found] == some
    assert [one.name for one in found] == [words[0].upper() for words in some]
    assert [one.end for one in found] == ends
    assert [text[one.start : one.end] for one in found] == texts
