"""Faults of the disk that the append-only file is on. Times are in seconds, sizes in MiB."""

from typing import Annotated

import msgspec

from sturdis.core.drill.faults.options import Count, DiskSize, Options, Seconds
from sturdis.core.drill.faults.process import Moment


class PowerCut(Options, frozen=True, tag="power-cut"):
    """SIGKILL, and of what no fsync has covered any part is gone, by chance."""

    moment: Moment = Moment.ANY
    """`any` or `rewrite`: as a rewrite begins, on a disk that takes its time."""


class FailedFsync(Options, frozen=True, tag="failed-fsync"):
    """Fsyncs of an increment fail with EIO; once the fault is gone, writes must come back."""

    errors: Count = 2
    """So many in a row in odd rounds, and one in even ones."""


class SlowFsync(Options, frozen=True, tag="slow-fsync"):
    """Each fsync takes longer, and the server is killed while one is under way."""

    least: Seconds = 1.5
    most: Seconds = 5.0


class DiskFull(Options, frozen=True, tag="disk-full"):
    """No byte is free: writes are refused. The disk is freed; filled again, and SIGKILL."""

    size: DiskSize = 24
    """Of the disk."""


class DiskFullRewrite(Options, frozen=True, tag="disk-full-rewrite"):
    """A rewrite finds no room for the new base; then SIGKILL."""

    size: DiskSize = 24
    """Of the disk."""
    ballast: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    """Of data that cannot be compressed, so that a base has a size."""
