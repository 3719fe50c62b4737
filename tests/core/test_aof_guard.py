import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.aof import guard, rdb
from sturdis.core.aof.guard import MAX_CUT, Cut
from sturdis.core.aof.rdb import Format
from sturdis.core.aof.scan import Scan, Tail
from sturdis.core.errors import DataError

EMPTY = (
    b"REDIS0010\xfa\tredis-ver\x067.0.15\xfa\nredis-bits\xc0@\xfa\x05ctime\xc2\xf2\x84\x04k"
    b"\xfa\x08used-mem\xc2H`\r\x00\xfa\x08aof-base\xc0\x01\xff0123456"
)
"""What Redis 7.0.15 writes as the base of a new append-only file."""


@given(st.builds(Scan, *[st.integers(0, 3 * MAX_CUT)] * 2, st.sampled_from(Tail), st.just(0)))
def test_only_what_an_interrupted_write_explains_is_cut(scan):
    if scan.tail is Tail.NONE:
        assert guard.decide("incr", scan, last=True) is None
    elif scan.tail is Tail.CORRUPT or scan.excess > MAX_CUT:
        with pytest.raises(DataError) as refused:
            guard.decide("incr", scan, last=True)
        assert f"`truncate -c -s {scan.safe_end} incr`" in refused.value.do
    else:
        cut = guard.decide("incr", scan, last=True)
        assert cut == Cut("incr", scan.safe_end, scan.excess, scan.tail)


@pytest.mark.parametrize("tail", set(Tail) - {Tail.NONE, Tail.CORRUPT})
def test_an_earlier_file_is_never_cut(tail):
    with pytest.raises(DataError) as refused:
        guard.decide("incr", Scan(10, 5, tail, 10), last=False)
    assert refused.value.code == "data.torn_earlier"


def test_temporary_files_of_servers_are_told_from_data():
    temporary = {
        "temp-rewriteaof-12.aof",
        "temp-rewriteaof-bg-12.aof",
        "temp-12.rdb",
        "temp-1795458415.12.rdb",
        "temp-appendonly.aof.manifest",
    }
    data = {
        "temp-appendonly.aof.incr",  # writes of a server that was switched to appendonly
        "appendonly.aof.1.incr.aof",
        "appendonly.aof.manifest",
        "dump.rdb",
        "my-temp-1.rdb",
    }
    assert set(guard.stale(temporary | data)) == temporary


@pytest.mark.parametrize(
    ("head", "format_"),
    [
        (b"REDIS0010\xfa", Format("REDIS", 10)),
        (b"VALKEY080\xfa", Format("VALKEY", 80)),
        (b"REDIS001", None),
        (b"*2\r\n$6\r\nSELECT", None),
        (b"", None),
    ],
)
def test_the_format_of_a_base_is_read_from_its_first_bytes(head, format_):
    assert rdb.format_of(head) == format_
    assert format_ is None or head.startswith(str(format_).encode())


def test_a_base_without_keys_is_told_from_one_with():
    assert rdb.is_empty(EMPTY)
    assert not rdb.is_empty(EMPTY.replace(b"\xff", b"\xfe\x00\xfb\x01\x00\x00\x01k\x01v\xff"))


@given(st.integers(0, len(EMPTY) - 9))
def test_a_base_that_breaks_off_is_not_taken_for_an_empty_one(length):
    assert not rdb.is_empty(EMPTY[:length])
