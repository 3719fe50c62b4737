"""Quantities as Kubernetes writes them, and how they are shown to people."""

import re
from decimal import ROUND_CEILING, Decimal

_PARTS = re.compile(
    r"(?P<sign>[+-]?)(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
    r"(?P<scale>[eE][+-]?0*[0-9]{1,2}|[numkMGTPE]|[KMGTPE]i|)"
)

_SCALES = {
    "": 1,
    "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip

_PARTS_OF_A_BYTE = {"n": "billionths", "u": "millionths", "m": "thousandths"}

MAX = 2**63 - 1
"""Largest number of bytes: what Kubernetes and the servers count with 64 bits and a sign."""

LONGEST = 64
"""Most characters of a quantity; 2^63 with every decimal that Kubernetes keeps has 29."""

QUANTITY = r"^[+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?0*[0-9]{1,2}|[kMGTPE]|[KMGTPE]i)?$"
"""What `parse_bytes` reads, as a JSON Schema pattern; the size is checked apart."""


def parse_bytes(written: str | int) -> int:
    """Read a number of bytes, 0 to 2^63 - 1, as Kubernetes' resource.Quantity: 1Gi, 1.5G, 1e9.

    Fractions of a byte are rounded up, as Kubernetes does. Below a byte and below zero Kubernetes
    has quantities too, which mean nothing for memory and disks.

    Raises:
        ValueError: It is not a quantity of bytes.
    """
    match = _PARTS.fullmatch(str(written)) if len(str(written)) <= LONGEST else None
    if match is None:
        raise ValueError(f"{shortened(repr(written))} is not a quantity of bytes{_hint(written)}")
    scale = match["scale"]
    if scale in _PARTS_OF_A_BYTE:
        raise ValueError(
            f"{written!r} is not a quantity of bytes: {scale} stands for {_PARTS_OF_A_BYTE[scale]} "
            "of a byte"
        )
    if match["sign"] == "-":
        raise ValueError(f"{written!r} is not a quantity of bytes: it is below zero")
    factor = Decimal(_SCALES[scale]) if scale in _SCALES else Decimal(f"1{scale}")
    number = int((Decimal(match["number"]) * factor).to_integral_value(ROUND_CEILING))
    if number > MAX:
        raise ValueError(f"{written!r} is more bytes than a 64-bit server can count")
    return number


def _hint(written: str | int) -> str:
    """Say what may have been meant; the letters of a unit are small or large for a reason."""
    for suffix, meant in _MISTAKEN.items():
        number = str(written).removesuffix(suffix).strip()
        if str(written).endswith(suffix) and re.fullmatch(r"[0-9.]{1,20}", number):
            return f"; did you mean {number}{meant}?"
    return " such as 512Mi or 1.5Gi"


_MISTAKEN = {
    "KiB": "Ki", "MiB": "Mi", "GiB": "Gi", "TiB": "Ti", "ki": "Ki", "mi": "Mi", "gi": "Gi",
    "ti": "Ti", " Ki": "Ki", " Mi": "Mi", " Gi": "Gi", "KB": "k", "kB": "k", "MB": "M", "GB": "G",
    "TB": "T", "kb": "k", "mb": "Mi", "gb": "Gi", "K": "Ki", "g": "Gi", "t": "Ti",
}  # fmt: skip
"""Suffixes that other programs read (mb and gb as redis.conf does), and Kubernetes' own."""


def shortened(text: str, most: int = 60) -> str:
    """Give `text` on one line of at most `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def canonical_bytes(count: int) -> str:
    """Write `count` bytes as Kubernetes itself would write it back: 1536Mi, 20Gi, 1G, 1500.

    What is written otherwise comes back changed, and looks like drift to who compares.
    """
    if count and not count % 1024:
        return _scaled(count, 1024, ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))
    return _scaled(count, 1000, ("", "k", "M", "G", "T", "P", "E"))


def _scaled(count: int, step: int, suffixes: tuple[str, ...]) -> str:
    power = 0
    while count and not count % step:
        count, power = count // step, power + 1
    return f"{count}{suffixes[power]}"


def human_bytes(count: int) -> str:
    """Give `count` bytes with a binary unit and at most one decimal: 614.4Mi, 1Gi, 12B."""
    number, unit = float(count), "B"
    for following in ("Ki", "Mi", "Gi", "Ti", "Pi"):
        if number < 1024:  # noqa: PLR2004  the binary step
            break
        number, unit = number / 1024, following
    return f"{number:.1f}".removesuffix(".0") + unit
