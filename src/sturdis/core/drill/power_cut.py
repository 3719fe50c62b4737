"""What a power cut leaves of a file: all that an fsync covered, and any part of the rest."""

from dataclasses import dataclass

NULS_SHARE = 1 / 3
"""Of the cuts, those after which the file is longer than what was written of it: file systems
that note a file's size before its bytes leave zeros there."""


@dataclass(frozen=True)
class Remains:
    """What is left of a file."""

    kept: int
    """Bytes at its start that are as they were written."""
    zeros: int
    """Zero bytes behind them, up to its new end."""

    @property
    def size(self) -> int:
        """Its size from now on."""
        return self.kept + self.zeros


def remains(synced: int, size: int, rolls: tuple[float, float, float]) -> Remains:
    """Decide what a power cut leaves of a file.

    Args:
        synced: Its size when its last completed fsync began; 0 without one.
        size: Its size now.
        rolls: Three numbers from 0 up to 1: how much of the rest is kept, whether zeros follow,
            and how many.
    """
    if size <= synced:
        return Remains(size, 0)
    kept = synced + round(rolls[0] * (size - synced))
    zeros = round(rolls[2] * (size - kept)) if rolls[1] < NULS_SHARE else 0
    return Remains(kept, zeros)
