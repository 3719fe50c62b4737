"""What a command costs before it does anything, and `up` over the bare server."""

import resource
import statistics
import subprocess
import sys

from bench import bare
from bench.figures import PAIRS, at_most, wall_ms
from sturdis.adapters.local import binaries

HELP_CPU_MS = 80
UP_OVERHEAD_MS = 400

STURDIS = (sys.executable, "-m", "sturdis")


def run() -> bool:
    """Measure and print; tell whether all limits are kept."""
    embedded = binaries.find_embedded()
    if embedded is None:
        print("start-up: no embedded server on this machine, nothing to compare with")
        return True
    help_cpu = [cpu_ms(*STURDIS, "--help") for _ in range(PAIRS)]
    up = (*STURDIS, "up", "--server", embedded, "--ephemeral", "--", "true")
    pairs = [
        (wall_ms(lambda: bare_server(embedded)), wall_ms(lambda: cpu_ms(*up))) for _ in range(PAIRS)
    ]
    alone, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"start-up: medians of {PAIRS}, on {binaries.inspect(embedded)}")
    kept = (
        at_most("sturdis --help, CPU", statistics.median(help_cpu), HELP_CPU_MS),
        at_most(
            f"up --ephemeral -- true ({ours:.0f} ms) over the bare server ({alone:.0f} ms)",
            statistics.median(under_up - by_itself for by_itself, under_up in pairs),
            UP_OVERHEAD_MS,
        ),
    )
    return all(kept)


def cpu_ms(*argv: str) -> float:
    """User and system time of one run, in ms."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def bare_server(path: str) -> None:
    """Start the server with our redis.conf, wait for PONG, run `true`, stop it."""
    with bare.serving(path):
        subprocess.run(["true"], check=True)
