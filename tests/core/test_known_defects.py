import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import known_defects

VERSIONS = st.tuples(st.integers(6, 11), st.integers(0, 4), st.integers(0, 20))


@pytest.mark.parametrize(
    ("product", "version", "references"),
    [
        ("redis", (7, 0, 15), {"valkey#4342"}),
        ("redis", (8, 0, 2), {"valkey#4342"}),
        ("valkey", (8, 1, 8), {"valkey#4342", "redis#13793"}),
        ("valkey", (9, 1, 1), {"valkey#4342", "redis#13793", "valkey#4739"}),
        ("valkey", (9, 1, 2), {"redis#13793", "valkey#4739"}),
        ("redis", (6, 2, 0), set()),
    ],
)
def test_the_measured_releases_have_the_defects_that_were_seen(product, version, references):
    assert {one.reference for one in known_defects.of(product, version)} == references


@given(product=st.sampled_from(["redis", "valkey"]), version=VERSIONS)
def test_a_defect_is_told_from_its_first_release_until_it_is_fixed(product, version):
    found = known_defects.of(product, version)
    for one in known_defects.DEFECTS:
        before = version < one.first or one.product != product
        after = one.fixed is not None and version >= one.fixed
        assert (one in found) == (not before and not after)


def test_every_row_says_what_to_do_and_where_it_is_recorded():
    for one in known_defects.DEFECTS:
        assert one.what
        assert one.do
        assert "#" in one.reference
