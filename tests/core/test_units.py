import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import units


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("0", 0),
        (1024, 1024),
        ("1Gi", 1 << 30),
        ("512Mi", 512 << 20),
        ("1.5Gi", 3 << 29),
        ("1e9", 10**9),
        ("1E3", 1000),
        ("1E", 10**18),
        ("2e-1", 1),
        ("1.0000000001Ki", 1025),
        (".5k", 500),
        ("5.", 5),
        ("5.Gi", 5 << 30),
        ("+1", 1),
        ("+.5Ki", 512),
        ("1E+3", 1000),
        ("1e003", 1000),
        ("0.0", 0),
        ("0Gi", 0),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_a_quantity_reads_as_kubernetes_reads_it(written, count):
    assert units.parse_bytes(written) == count


@pytest.mark.parametrize(
    "written",
    [
        "",
        "Gi",
        ".",
        "+",
        "+-1",
        "1.2.3",
        "1Gi2",
        "1GI",
        "Inf",
        "1n",
        "1u",
        "100m",
        "1gi",
        "1 Gi",
        "-1",
        "1ki",
        "1e",
        "1e+",
        "0x10",
        "1_000",
        "\u0661",
        "8Ei",
        "1e99",
    ],
)
def test_what_is_no_quantity_is_refused(written):
    with pytest.raises(ValueError, match=re.escape(repr(written))):
        units.parse_bytes(written)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("100m", "'100m' is not a quantity of bytes: m stands for thousandths of a byte"),
        ("-1Gi", "'-1Gi' is not a quantity of bytes: it is below zero"),
        ("1GB", "'1GB' is not a quantity of bytes; did you mean 1G?"),
        ("1gb", "'1gb' is not a quantity of bytes; did you mean 1Gi?"),
        ("1.5 GiB", "'1.5 GiB' is not a quantity of bytes; did you mean 1.5Gi?"),
        ("5K", "'5K' is not a quantity of bytes; did you mean 5Ki?"),
        ("much", "'much' is not a quantity of bytes such as 512Mi or 1.5Gi"),
        ("8Ei", "'8Ei' is more bytes than a 64-bit server can count"),
    ],
)
def test_a_refusal_says_what_may_have_been_meant(written, told):
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        units.parse_bytes(written)


def test_a_quantity_of_a_million_digits_is_refused_in_few_words():
    with pytest.raises(ValueError, match=r"^.{60} is not a quantity of bytes such as") as refusal:
        units.parse_bytes("9" * 1_000_000)
    assert len(str(refusal.value)) < 120


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_a_plain_number_is_itself(count):
    assert units.parse_bytes(str(count)) == units.parse_bytes(count) == count


@given(st.text(max_size=12))
def test_the_schema_pattern_and_the_parser_agree(text):
    try:
        units.parse_bytes(text)
        accepted = True
    except ValueError as error:
        accepted = "more bytes" in str(error)  # the pattern knows the form, not the size
    assert accepted == bool(re.match(units.QUANTITY, text) and not text.endswith("\n"))


@given(st.integers(min_value=0, max_value=2**62))
def test_the_human_form_is_within_a_tenth_of_its_unit(count):
    shown = units.human_bytes(count)
    unit = re.sub(r"[\d.]", "", shown)
    step = {"B": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}[unit]
    assert abs(float(shown.removesuffix(unit)) * step - count) <= 0.05 * step + 1
