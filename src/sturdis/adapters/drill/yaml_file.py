"""Files in YAML that people write for drills."""

from pathlib import Path

from sturdis.core.errors import DrillError
from sturdis.core.spec import yamltext


def text(path: Path, kind: str, *, do: str) -> str:
    """Give the text of a file, a byte more than the longest at most: what reads it refuses that.

    Args:
        path: The file.
        kind: What it should be, for people: `drill`.
        do: What they may do when it is not.

    Raises:
        DrillError: `drill.unreadable`.
    """
    try:
        with path.open("rb") as file:
            return file.read(yamltext.MAX_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise DrillError(
            "drill.unreadable",
            f"the {kind} {path} cannot be read",
            why=getattr(error, "strerror", None) or str(error),
            do=do,
        ) from error
