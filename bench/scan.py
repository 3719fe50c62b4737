"""How fast `core/aof` finds the safe end of what BullMQ wrote, against redis-check-aof."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import PAIRS, at_least, geometric_mean, lower_bound, wall_ms
from bench.startup import STURDIS
from sturdis.adapters.local.guard import CHUNK
from sturdis.core.aof.scan import scan

LEAST_RATIO = 0.5
FILE_BYTES = 32 << 20
ROUNDTRIP = Path(__file__).parent.parent / "examples/bullmq/roundtrip.py"


def run() -> bool:
    """Measure and print; tell whether the limit is kept."""
    checker = shutil.which("redis-check-aof")
    if checker is None:
        print("scan: no redis-check-aof on PATH, nothing to compare with")
        return True
    with tempfile.TemporaryDirectory() as folder:
        path = written_by_bullmq(Path(folder))
        size = path.stat().st_size
        pairs = [
            (
                wall_ms(
                    lambda: subprocess.run([checker, path], stdout=subprocess.DEVNULL, check=True)
                ),
                wall_ms(lambda: scanned(path)),
            )
            for _ in range(PAIRS)
        ]
    ratios = [theirs / ours for theirs, ours in pairs]
    rates = [
        geometric_mean([size / 1000 / ms for ms in column]) for column in zip(*pairs, strict=True)
    ]
    print(f"scan: {PAIRS} interleaved pairs on {size} bytes that BullMQ wrote")
    name = f"scan ({rates[1]:.0f} MB/s) over redis-check-aof ({rates[0]:.0f} MB/s), mean of ratios"
    at_least(name, geometric_mean(ratios), LEAST_RATIO)
    return at_least("its lower 95 % bound", lower_bound(ratios), LEAST_RATIO)


def written_by_bullmq(folder: Path) -> Path:
    """Give a file of `FILE_BYTES` at least: what ten jobs left, again and again."""
    data = folder / "data"
    command = (*STURDIS, "up", "--data", str(data), "--port", "0", "--metrics-port", "0", "--")
    subprocess.run([*command, sys.executable, ROUNDTRIP], check=True, capture_output=True)
    (increment,) = (data / "appendonlydir").glob("*.incr.aof")
    once = increment.read_bytes()
    increment.write_bytes(once * (FILE_BYTES // len(once) + 1))
    return increment


def scanned(path: Path) -> None:
    """Scan as the guard does.

    Raises:
        ValueError: The file is not whole.
    """
    with path.open("rb", buffering=0) as file:
        seen = scan(iter(lambda: file.read(CHUNK), b""))
    if seen.excess:
        raise ValueError(seen)
