"""What a guard must leave: a drill would excuse as torn what its jobs lose with it."""

from collections.abc import Mapping
from pathlib import Path

from sturdis.core.aof.scan import scan
from sturdis.core.errors import DrillError


def whole(parts: Path) -> Mapping[Path, bytes]:
    """Give what of each increment is whole: its units up to the first that is torn or damaged."""
    contents = {path: path.read_bytes() for path in parts.glob("*.incr.aof")}
    return {path: one[: scan([one]).safe_end] for path, one in contents.items()}


def require(before: Mapping[Path, bytes]) -> None:
    """Refuse to go on where something that was whole is no longer there.

    Raises:
        DrillError: `drill.cut_too_far`.
    """
    for path, kept in before.items():
        left = path.read_bytes() if path.exists() else kept  # one that no manifest names is removed
        if not left.startswith(kept):
            raise DrillError(
                "drill.cut_too_far",
                "the guard took more than what was torn",
                why=f"{path.name} was whole up to byte {len(kept)}, and now has {len(left)}",
                do=f"keep {path.parent.parent}, where cut/ holds what was taken",
            )
