"""Faults of the disk that the append-only file is on. Times are in seconds, sizes in MiB."""

from sturdis.core.drill.faults.options import Options
from sturdis.core.drill.faults.process import Moment


class PowerCut(Options, frozen=True, tag="power-cut"):
    """SIGKILL, and of what no fsync has covered any part is gone, by chance."""

    moment: Moment = Moment.ANY
    """`any` or `rewrite`: as a rewrite begins, on a disk that takes its time."""


class FailedFsync(Options, frozen=True, tag="failed-fsync"):
    """Fsyncs of an increment fail with EIO; once the fault is gone, writes must come back."""

    errors: int = 2
    """So many in a row in odd rounds, and one in even ones."""


class SlowFsync(Options, frozen=True, tag="slow-fsync"):
    """Each fsync takes longer, and the server is killed while one is under way."""

    least: float = 1.5
    most: float = 5.0


class DiskFull(Options, frozen=True, tag="disk-full"):
    """No byte is free: writes are refused. The disk is freed; filled again, and SIGKILL."""

    size: int = 24
    """Of the disk."""


class DiskFullRewrite(Options, frozen=True, tag="disk-full-rewrite"):
    """A rewrite finds no room for the new base; then SIGKILL."""

    size: int = 24
    """Of the disk."""
    ballast: int = 2
    """Of data that cannot be compressed, so that a base has a size."""
