"""Append-only files to test with: any sequence of what servers write."""

import itertools

from hypothesis import strategies as st

from sturdis.core.aof import resp

PAYLOADS = st.one_of(
    st.binary(max_size=70),
    st.sampled_from([b"", b"*1\r\n$4\r\nEXEC\r\n", b"$3", b"\r\n", b"#TS:1\r\n", b"x" * 5000]),
)
NAMES = st.sampled_from([b"SET", b"set", b"MULTIX", b"EXE", b"HMSET", b""])


def command(*words: bytes) -> bytes:
    """Give a command as servers write it."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)


MULTI, EXEC = command(b"MULTI"), command(b"EXEC")
COMMANDS = st.builds(
    lambda name, payloads: command(name, *payloads),
    NAMES,
    st.lists(PAYLOADS, max_size=resp.SHORT_COMMAND + 3),
)
ANNOTATIONS = st.sampled_from([b"#TS:1795458415\r\n", b"#\n", b"# " + b"x" * 1020 + b"\n"])
TRANSACTIONS = st.lists(COMMANDS, max_size=5).map(lambda some: MULTI + b"".join(some) + EXEC)
UNITS = st.lists(st.one_of(COMMANDS, ANNOTATIONS, TRANSACTIONS), max_size=8)


def pieces(text: bytes, cuts: list[int]) -> list[bytes]:
    """Part `text` at `cuts`."""
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(edges)]
