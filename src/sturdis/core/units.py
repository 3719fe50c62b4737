"""Quantities as Kubernetes writes them, and how they are shown to people."""

import re
from decimal import ROUND_CEILING, Decimal

_PARTS = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?P<scale>[eE][+-]?[0-9]{1,2}|[kMGTPE]|[KMGTPE]i|)"
)

_SCALES = {
    "": 1,
    "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip


QUANTITY = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2}|[kMGTPE]|[KMGTPE]i)?$"
"""What `parse_bytes` reads, as a JSON Schema pattern; the size is checked apart."""


def parse_bytes(written: str | int) -> int:
    """Read a number of bytes, 0 to 2^63 - 1, as Kubernetes' resource.Quantity: 1Gi, 1.5G, 1e9.

    Fractions of a byte are rounded up, as Kubernetes does.

    Raises:
        ValueError: It is not a quantity of bytes.
    """
    match = _PARTS.fullmatch(str(written))
    if match is None:
        raise ValueError(f"{written!r} is not a quantity of bytes such as 512Mi or 1.5Gi")
    scale = match["scale"]
    factor = Decimal(_SCALES[scale]) if scale in _SCALES else Decimal(f"1{scale}")
    number = int((Decimal(match["number"]) * factor).to_integral_value(ROUND_CEILING))
    if number >= 2**63:
        raise ValueError(f"{written!r} is more bytes than a 64-bit server can count")
    return number


def human_bytes(count: int) -> str:
    """Give `count` bytes with a binary unit and at most one decimal: 614.4Mi, 1Gi, 12B."""
    number, unit = float(count), "B"
    for following in ("Ki", "Mi", "Gi", "Ti", "Pi"):
        if number < 1024:  # noqa: PLR2004  the binary step
            break
        number, unit = number / 1024, following
    return f"{number:.1f}".removesuffix(".0") + unit
