import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import address as addresses
from sturdis.core.address import Address
from sturdis.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("redis://localhost", Address("localhost")),
        ("redis://10.0.0.1:7000/3", Address("10.0.0.1", 7000, 3)),
        ("redis://[::1]:6380", Address("::1", 6380)),
        ("redis://app:p%40ss@h", Address("h", username="app", password="p@ss")),
        ("redis://:secret@h/", Address("h", password="secret")),
    ],
)
def test_an_address_is_read(text, address):
    assert addresses.parse(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "localhost", "localhost:6379", "http://h", "redis://", "redis://h:0", "redis://h:99999",
        "redis://h:x", "redis://h/x", "redis://h/-1", "redis://h?db=1",
        "redis://h#1", "redis://foo..bar", "redis://[::1",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    with pytest.raises(UsageError) as refusal:
        addresses.parse(text)
    assert refusal.value.code == "usage.address"


def test_no_text_of_an_address_shows_its_password():
    address = addresses.parse("redis://app:s3cr3t@h")
    assert "s3cr3t" not in str(address) + repr(address)
    with pytest.raises(UsageError) as refusal:
        addresses.parse("redis://app:s3cr3t@h:x")
    told = refusal.value
    assert "s3cr3t" not in told.what + told.why + told.do


@given(
    st.builds(
        Address,
        host=st.sampled_from(["h", "10.0.0.1", "::1", "redis.redis.svc.cluster.local"]),
        port=st.integers(1, 65535),
        db=st.integers(0, 99),
        username=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    )
)
def test_the_text_of_an_address_reads_back(address):
    assert addresses.parse(str(address)) == address
