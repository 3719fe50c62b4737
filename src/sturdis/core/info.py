"""What a server tells with `INFO`, read into fields."""


def parse(text: str) -> dict[str, str]:
    """Read the text of `INFO`: `field:value` lines; section heads and blank lines are left out."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return dict(line.split(":", 1) for line in lines if ":" in line)


def parts(value: str) -> dict[str, str]:
    """Read a value of several parts: `keys=2,expires=1,avg_ttl=0`."""
    return dict(part.split("=", 1) for part in value.split(",") if "=" in part)
