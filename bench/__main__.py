"""`make bench`: what Sturdis costs over the bare tool, measured in pairs in the same run.

Prints every figure with its limit and exits 1 when one is exceeded. Pairs are interleaved, so that
a machine that slows down slows both.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sturdis.adapters.local import binaries, ports, probe
from sturdis.core.render.redis_conf import Place, redis_conf
from sturdis.core.spec import Spec

PAIRS = 20
HELP_CPU_MS = 80
UP_OVERHEAD_MS = 400

STURDIS = (sys.executable, "-m", "sturdis")


def cpu_ms(*argv: str) -> float:
    """User and system time of one run, in ms."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def wall_ms(action: Callable[[], object]) -> float:
    """Time on the wall of one call, in ms."""
    before = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - before)


def bare_server(path: str) -> None:
    """Start the server with our redis.conf, wait for PONG, run `true`, stop it."""
    with tempfile.TemporaryDirectory() as folder:
        port = ports.claim(0, option="")
        conf = Path(folder) / "redis.conf"
        conf.write_text(redis_conf(Spec(), Place(folder, ports.LOOPBACK, port)))
        with subprocess.Popen([path, str(conf)], stdout=subprocess.DEVNULL) as server:
            while not _answers(port):
                time.sleep(0.001)
            subprocess.run(["true"], check=True)
            server.terminate()


def _answers(port: int) -> bool:
    try:
        return probe.ask(ports.LOOPBACK, port) == "+PONG"
    except OSError:
        return False


def report(name: str, value: float, limit: float) -> bool:
    """Print one figure with its limit; tell whether it is kept."""
    kept = value <= limit
    print(f"{name:<58}{value:7.0f} ms   limit {limit:.0f} ms   {'kept' if kept else 'EXCEEDED'}")
    return kept


def main() -> int:
    """Measure and print; 1 when a limit is exceeded."""
    os.environ.pop("STURDIS_TARGET", None)
    embedded = binaries.find_embedded()
    if embedded is None:
        print("no embedded server on this machine: nothing to compare with")
        return 3
    help_cpu = [cpu_ms(*STURDIS, "--help") for _ in range(PAIRS)]
    pairs = [
        (
            wall_ms(lambda: bare_server(embedded)),
            wall_ms(
                lambda: cpu_ms(*STURDIS, "up", "--server", embedded, "--ephemeral", "--", "true")
            ),
        )
        for _ in range(PAIRS)
    ]
    bare, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    overhead = statistics.median(up - alone for alone, up in pairs)
    print(f"{PAIRS} runs each, medians; server {binaries.inspect(embedded)}")
    kept = [
        report("sturdis --help, CPU", statistics.median(help_cpu), HELP_CPU_MS),
        report(
            f"up --ephemeral -- true ({ours:.0f} ms) over the bare server ({bare:.0f} ms)",
            overhead,
            UP_OVERHEAD_MS,
        ),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
