"""What a server tells with `INFO`, read into fields."""

from collections.abc import Mapping


def parse(text: str) -> dict[str, str]:
    """Read the text of `INFO`: `field:value` lines; section heads and blank lines are left out."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return dict(line.split(":", 1) for line in lines if ":" in line)


def parts(value: str) -> dict[str, str]:
    """Read a value of several parts: `keys=2,expires=1,avg_ttl=0`."""
    return dict(part.split("=", 1) for part in value.split(",") if "=" in part)


def number(fields: Mapping[str, str], name: str) -> int:
    """Give a field that is a whole number; 0 where there is no such number."""
    value = fields.get(name, "")
    return int(value) if value.isdecimal() else 0


def errors(fields: Mapping[str, str], word: str) -> int:
    """Give how often the server answered with an error that begins with this word."""
    return number(parts(fields.get(f"errorstat_{word}", "")), "count")
