"""`make bench`: what Sturdis costs over the bare tool, measured in pairs in the same run.

Prints every figure with its limit and exits 1 when one is not kept. Pairs are interleaved, so that
a machine that slows down slows both. `make bench ARGS=startup` runs one of them.
"""

import os
import sys
from collections.abc import Callable, Mapping

from bench import aof_scan, look, pod_restart, render, scan, scrape, startup, throughput

BENCHES: Mapping[str, Callable[[], bool]] = {
    "startup": startup.run,
    "look": look.run,
    "throughput": throughput.run,
    "scan": scan.run,
    "aof_scan": aof_scan.run,
    "scrape": scrape.run,
    "render": render.run,
    "pod_restart": pod_restart.run,
}


def main(names: list[str]) -> int:
    """Run the benches named, or all; 1 when a limit is not kept."""
    os.environ.pop("STURDIS_TARGET", None)
    kept = [BENCHES[name]() for name in names or BENCHES]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
