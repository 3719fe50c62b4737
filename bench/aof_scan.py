"""How fast `repair` finds what is whole in what BullMQ wrote, against redis-check-aof."""

import mmap
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import cast

from bench.figures import at_least, geometric_mean, lower_bound, wall_ms
from bench.scan import LEAST_RATIO, written_by_bullmq
from sturdis.core.repair import commands, regions

PAIRS = 10
"""Fewer than for the guard's scan, of which this one is a part: it also knows the commands."""


def run() -> bool:
    """Measure and print; tell whether the limit is kept."""
    checker = shutil.which("redis-check-aof")
    if checker is None:
        print("aof_scan: no redis-check-aof on PATH, nothing to compare with")
        return True
    with tempfile.TemporaryDirectory() as folder:
        path = written_by_bullmq(Path(folder))
        checked = [checker, str(path)]
        ratios = [
            wall_ms(lambda: subprocess.run(checked, stdout=subprocess.DEVNULL, check=True))
            / wall_ms(lambda: parted(path))
            for _ in range(PAIRS)
        ]
        size = path.stat().st_size
    print(f"aof_scan: {PAIRS} interleaved pairs on {size} bytes that BullMQ wrote")
    at_least(
        "repair's scan over redis-check-aof, mean of ratios", geometric_mean(ratios), LEAST_RATIO
    )
    return at_least("its lower 95 % bound", lower_bound(ratios), LEAST_RATIO)


def parted(path: Path) -> None:
    """Part a whole file as `repair` does.

    Raises:
        ValueError: It is not whole.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        found = regions.part(cast("regions.Text", text), commands.KNOWN)
    if found.gaps:
        raise ValueError(found.gaps[0])
