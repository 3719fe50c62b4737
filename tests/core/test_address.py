import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import address as addresses
from sturdis.core.address import Address, Tls
from sturdis.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("redis://localhost", Address("localhost")),
        ("redis://10.0.0.1:7000/3", Address("10.0.0.1", 7000, 3)),
        ("redis://[::1]:6380", Address("::1", 6380)),
        ("redis://app:p%40ss@h", Address("h", username="app", password="p@ss")),
        ("redis://:secret@h/", Address("h", password="secret")),
        ("rediss://h/2", Address("h", db=2, tls=Tls())),
        (
            "rediss://app:p%2Fss@[::1]:7",
            Address("::1", 7, username="app", password="p/ss", tls=Tls()),
        ),
        ("unix:///run/redis.sock", Address("", path="/run/redis.sock")),
        (
            "unix://app:pw@/r.sock?db=2",
            Address("", db=2, username="app", password="pw", path="/r.sock"),
        ),
        ("redis://:%FF@h", Address("h", password="\udcff")),
        ("unix://:pw@/a%20b%3F", Address("", password="pw", path="/a b?")),
    ],
)
def test_an_address_is_read(text, address):
    assert addresses.parse(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "localhost", "localhost:6379", "http://h", "redis://", "redis://h:0", "redis://h:99999",
        "redis://h:x", "redis://h/x", "redis://h/-1", "redis://h?db=1",
        "redis://h#1", "redis://foo..bar", "redis://[::1", "redis://h/1_0", "redis://h/+1",
        "unix://", "unix:///", "unix://r.sock", "unix://h/r.sock", "unix:///r.sock?db=x",
        "unix:///r.sock?database=1", "unix:///r.sock?db", "unix:///r.sock#1", "unix:///r%00",
        "redis://%FF@h", "redis://\udcff@h", "rediss://", "rediss://h:0", "redis+tls://h",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    with pytest.raises(UsageError) as refusal:
        addresses.parse(text)
    assert refusal.value.code == "usage.address"


def test_no_text_of_an_address_shows_its_password():
    for text in ("redis://app:s3cr3t@h", "rediss://:s3cr3t@h", "unix://app:s3cr3t@/r.sock"):
        address = addresses.parse(text)
        assert address.password == "s3cr3t"
        assert "s3cr3t" not in str(address) + repr(address)
        with pytest.raises(UsageError) as refusal:
            addresses.parse(f"{text}#x")
        told = refusal.value
        assert "s3cr3t" not in told.what + told.why + told.do


def test_who_asks_without_a_login_asks_at_the_same_place():
    address = addresses.parse("rediss://app:s3cr3t@h:7/3")
    assert address.without_login() == Address("h", 7, tls=Tls())


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(
    st.builds(
        Address,
        host=st.sampled_from(["h", "10.0.0.1", "::1", "redis.redis.svc.cluster.local"]),
        port=st.integers(1, 65535),
        db=st.integers(0, 99),
        username=st.none() | TEXT,
        tls=st.none() | st.just(Tls()),
    )
    | st.builds(
        Address,
        host=st.just(""),
        db=st.integers(0, 99),
        username=st.none() | TEXT,
        path=TEXT.map("/{}".format),
    )
)
def test_the_text_of_an_address_reads_back(address):
    assert addresses.parse(str(address)) == address
