import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import replies
from sturdis.core.replies import ErrorReply


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (b"PONG", "PONG"),
        (b"OK", "OK"),
        (
            b"Background append only file rewriting started",
            "Background append only file rewriting started",
        ),
        (b"hello", '"hello"'),
        (b'a"b\\c\x00\xff', r'"a\"b\\c\x00\xff"'),
        (b"a\nb\x1b[31m", r'"a\nb\x1b[31m"'),
        (7, "(integer) 7"),
        (None, "(nil)"),
        ((), "(empty array)"),
        (ErrorReply("ERR no"), "(error) ERR no"),
        ((b"appendonly", b"yes"), '1) "appendonly"\n2) "yes"'),
        ((b"OK",), '1) "OK"'),
        ((b"a", (1, None), ()), '1) "a"\n2) 1) (integer) 1\n   2) (nil)\n3) (empty array)'),
        (tuple(range(10)), "\n".join(f"{n:>2}) (integer) {n - 1}" for n in range(1, 11))),
    ],
)
def test_a_terminal_shows_replies_as_redis_cli_does(reply, shown):
    assert replies.for_people(reply) == shown


def test_prose_is_shown_as_it_is():
    info = b"# Server\r\nredis_version:7.0.15\r\n"
    assert replies.for_people(info, prose=True) == "# Server\nredis_version:7.0.15"
    assert replies.for_people(b"one line", prose=True) == '"one line"'


def test_a_pipe_gets_the_bytes_alone():
    assert (
        replies.bare((b"a\xff", 1, None, (b"b",), ErrorReply("ERR no"))) == b"a\xff\n1\n\nb\nERR no"
    )


REPLIES = st.recursive(
    st.none() | st.integers() | st.binary() | st.builds(ErrorReply, st.text()),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=8,
)


@given(REPLIES)
def test_every_reply_can_be_shown_in_every_form(reply):
    assert isinstance(replies.for_people(reply), str)
    assert isinstance(replies.bare(reply), bytes)
    assert json.dumps(replies.jsonable(reply))
