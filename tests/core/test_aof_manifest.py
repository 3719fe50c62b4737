import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.aof import manifest, words
from sturdis.core.aof.manifest import Entry, Kind, Manifest, ManifestError

LINE = b"file appendonly.aof.1.incr.aof seq 1 type i\n"
ENTRY = Entry(b"appendonly.aof.1.incr.aof", 1, Kind.INCREMENT)

NAMES = st.binary(min_size=1, max_size=40).filter(
    lambda name: not set(name) & set(b"/\\\0")  # no server gives such a name
)
KEYS = (
    st.binary(min_size=1, max_size=9).map(bytes.lower).filter(lambda key: key not in manifest.KNOWN)
)
PAIRS = st.lists(st.tuples(KEYS, st.binary(max_size=9)), max_size=3).map(tuple)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Give a manifest that servers could have written."""
    rising = sorted(draw(st.sets(st.integers(1, 2**63 - 1), max_size=4)))
    increments = [Entry(draw(NAMES), one, Kind.INCREMENT, draw(PAIRS)) for one in rising]
    before = [Entry(draw(NAMES), draw(st.integers(1, 9)), Kind.HISTORY)]
    base = [Entry(draw(NAMES), draw(st.integers(1, 9)), Kind.BASE, draw(PAIRS))]
    some = draw(st.booleans())
    return Manifest((*(base if some else ()), *before, *increments))


@given(manifests())
def test_what_is_written_is_read_back(written):
    assert manifest.parse(written.write()) == written


def test_what_a_server_wrote_is_written_the_same():
    text = (
        b"file appendonly.aof.2.base.rdb seq 2 type b\n"
        b"file appendonly.aof.2.incr.aof seq 2 type h\n"
        b"file appendonly.aof.3.incr.aof seq 3 type i startoffset 0\n"
        b'file "a name.4.incr.aof" seq 4 type i startoffset 120 endoffset 340\n'
    )
    read = manifest.parse(text)
    assert read.write() == text
    assert read.base == Entry(b"appendonly.aof.2.base.rdb", 2, Kind.BASE)
    assert [one.name for one in read.increments] == [
        b"appendonly.aof.3.incr.aof",
        b"a name.4.incr.aof",
    ]
    assert read.loaded == (read.base, *read.increments)


@pytest.mark.parametrize(
    "text",
    [
        b"# a comment\n" + LINE,
        LINE + b"# a comment that is cut off",
        b"  \tFILE appendonly.aof.1.incr.aof \t SEQ 1\ttype incremental\r\n",
        b'file "appendonly.aof.1.inc\\x72.aof" seq +1 type i\n',
        b"file 'appendonly.aof.1.incr.aof' seq 1 type i\n",
        b'file appendonly.aof.1.incr.aof seq " 1st" type i\n',
        b"file another seq 7 type b file appendonly.aof.1.incr.aof seq 1 type i\n",
    ],
)
def test_servers_read_more_than_they_write(text):
    assert manifest.parse(text) == Manifest((ENTRY,))


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (b"", 1, "empty"),
        (b"\n", 1, "pairs"),
        (LINE + b"\n", 2, "pairs"),
        (LINE.strip(), 1, "cut off"),
        (LINE.replace(b"\n", b"\0\n"), 1, "zero byte"),
        (LINE.replace(b"\n", b" x " + b"y" * 1024 + b"\n"), 1, "longer than 1024"),
        (b"#" * 1024 + b"the rest is read as a line\n", 2, "pairs"),
        (b"file a seq 1\n", 1, "pairs"),
        (b"file a seq 1 type i key\n", 1, "pairs"),
        (b"file a seq 1 kind i\n", 1, "type is missing"),
        (b'file "" seq 1 type i\n', 1, "file is missing"),
        (b"file ../a seq 1 type i\n", 1, "path"),
        (b'file "a\\x00b" seq 1 type i\n', 1, "zero byte"),
        (b'file "a\\\\b" seq 1 type i\n', 1, "path"),
        (b'file "a seq 1 type i\n', 1, "quote"),
        (b'file "a"b seq 1 type i\n', 1, "quote"),
        (b"file a seq 0 type i\n", 1, "seq"),
        (b"file a seq one type i\n", 1, "seq"),
        (b"file a seq +-1 type i\n", 1, "seq"),
        (b"file a seq -1 type i\n", 1, "falls"),
        (b"file a seq 1 type x\n", 1, "type"),
        (LINE + LINE, 2, "falls: 1 after 1"),
        (b"file a seq 1 type b\nfile b seq 2 type b\n", 2, "second base"),
    ],
)  # fmt: skip
def test_what_servers_refuse_is_refused_with_its_line(text, line, problem):
    with pytest.raises(ManifestError, match=f"line {line}: .*{problem}"):
        manifest.parse(text)


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_words_that_were_quoted_are_split_again(some):
    assert words.split(b" ".join(map(words.quoted, some))) == some
