"""What a power cut leaves of a file."""

from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.drill.power_cut import NULS_SHARE, remains

sizes = st.integers(0, 10_000)
rolls = st.tuples(*[st.floats(0, 1, exclude_max=True)] * 3)


@given(sizes, sizes, rolls)
def test_what_an_fsync_covered_is_kept_and_no_byte_is_added(synced, size, rolled):
    left = remains(synced, size, rolled)
    assert min(synced, size) <= left.kept <= left.size <= size


@given(sizes, rolls)
def test_where_an_fsync_covered_all_nothing_is_lost(size, rolled):
    assert remains(size, size, rolled).kept == size


@given(sizes, st.integers(1, 5000), rolls)
def test_zeros_follow_in_some_cuts_alone(synced, more, rolled):
    left = remains(synced, synced + more, rolled)
    assert not left.zeros or rolled[1] < NULS_SHARE
