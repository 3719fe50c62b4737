"""What a server does under `up`, scraped every second, against the same server alone.

Both run side by side with the same redis.conf; in each pair one is loaded and then the other, in
turns first. The ratio of each pair goes into the interval.
"""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import bare
from bench.figures import at_least, geometric_mean, lower_bound
from bench.startup import STURDIS
from sturdis.adapters.local import binaries, ports
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address

LEAST_RATIO = 0.95
PAIRS = 30
"""More than elsewhere: one run of a load varies by some 10 % on a shared machine."""
SCRAPE_SECONDS = 1.0
REQUESTS = 600_000
JOBS = 6_000
NODE_LOAD = Path(__file__).with_name("bullmq-load.mjs")
EXAMPLES = Path(__file__).parent.parent / "examples/bullmq"


def run() -> bool:
    """Measure and print; tell whether all limits are kept."""
    server = shutil.which("redis-server") or binaries.find_embedded()
    if server is None:
        print("throughput: no server on this machine")
        return True
    print(f"throughput: {PAIRS} interleaved pairs on {binaries.inspect(server)}, under `up` and")
    print("scraped every second, over the bare server with the same redis.conf")
    with bare.serving(server) as alone, under_up(server) as supervised:
        both = alone.port, supervised
        kept = [compared(name, load, *both) for name, load in loads() if load is not None]
    return all(kept)


def loads() -> Iterator[tuple[str, Callable[[int], float] | None]]:
    """Give each load that this machine can make: its name, and what it does per second."""
    if shutil.which("redis-benchmark"):
        yield "redis-benchmark, SET and LPUSH", redis_benchmark
    else:
        print("did not run: redis-benchmark is not on PATH")
    if shutil.which("node") and (EXAMPLES / "node_modules/bullmq").is_dir():
        yield "BullMQ, jobs added and processed", bullmq
    else:
        print("did not run: BullMQ under Node is not there")


def compared(name: str, load: Callable[[int], float], alone: int, supervised: int) -> bool:
    """Load both servers in turn, and print the ratio of what they did."""
    load(alone), load(supervised)
    ratios, best = [], 0.0
    for pair in range(PAIRS):
        order = (alone, supervised) if pair % 2 else (supervised, alone)
        done = {port: load(port) for port in order}
        ratios.append(done[supervised] / done[alone])
        best = max(best, *done.values())
    shown = f"{name} (up to {best:,.0f}/s): mean {geometric_mean(ratios):.3f}, lower 95 % bound"
    return at_least(shown, lower_bound(ratios), LEAST_RATIO)


def redis_benchmark(port: int) -> float:
    """Run redis-benchmark and give its requests per second, the mean over its tests."""
    options = ("-t", "set,lpush", "-n", str(REQUESTS), "-P", "16", "-q", "--csv")
    command = ["redis-benchmark", "-p", str(port), *options]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rates = [float(rate) for rate in re.findall(r'^"[A-Z]+","([0-9.]+)"', shown, re.MULTILINE)]
    with Link(Address(ports.LOOPBACK, port)) as link:
        link.call("FLUSHALL")
    return len(rates) / sum(1 / rate for rate in rates)


def bullmq(port: int) -> float:
    """Add jobs and process them with BullMQ on Node; give the jobs per second."""
    command = ["node", str(NODE_LOAD), str(EXAMPLES), str(port), str(JOBS)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(shown)


@contextlib.contextmanager
def under_up(server: str) -> Iterator[int]:
    """Run the server under `up`, and scrape its metrics every second."""
    command = [*STURDIS, "up", "--json", "--ephemeral", "--server", server]
    over = threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        scraping = threading.Thread(target=scrape, args=(ready["metrics"], over))
        scraping.start()
        try:
            yield int(ready["port"])
        finally:
            over.set()
            scraping.join()
            process.terminate()


def scrape(url: str, over: threading.Event) -> None:
    """Read the metrics every second until `over`."""
    while not over.wait(SCRAPE_SECONDS):
        with urllib.request.urlopen(url) as reply:  # noqa: S310  our own
            if b"redis_up 1" not in reply.read():
                sys.exit("the metrics say that the server is down")
