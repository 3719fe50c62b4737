"""`python -m bench.scrape [SERVER…]`: what a scrape of 1,000 queues costs the server.

Prints medians over the scrapes of one run, and exits 1 when the limit is exceeded: the server's own
time in commands, from INFO commandstats, and beside it all the time that its process used.
"""

import statistics
import sys
import time
from contextlib import closing
from dataclasses import dataclass

from tests.integration.servers import wait_until

from bench import bare
from bench.figures import at_most
from sturdis.adapters.local import binaries
from sturdis.adapters.redis.link import Link
from sturdis.adapters.redis.metrics_source import MetricsSource
from sturdis.core import info
from sturdis.core.address import Address
from sturdis.core.metrics.exposition import exposition
from sturdis.core.replies import Command

QUEUES = 1_000
JOBS = 25
SCRAPES = 30
COMMANDS_MS = 10
NEVER_AGAIN = 3600.0


@dataclass(frozen=True)
class Spent:
    """What a server has spent so far, in ms: in commands, and as a process."""

    commands: float
    process: float

    def since(self, before: "Spent") -> "Spent":
        return Spent(self.commands - before.commands, self.process - before.process)


def queue(number: int) -> list[Command]:
    """Give the commands that make one queue, as BullMQ leaves it in the midst of work."""
    key = f"bull:queue-{number:04}:"
    return [
        ("HSET", f"{key}meta", "version", "bullmq:6.7.0", "opts.maxLenEvents", "10000"),
        ("SET", f"{key}id", JOBS),
        *(("HSET", f"{key}{job}", "timestamp", "1", "data", "{}") for job in range(JOBS)),
        ("LPUSH", f"{key}wait", *range(10)),
        ("LPUSH", f"{key}active", 10, 11),
        ("ZADD", f"{key}delayed", *(word for job in range(12, 17) for word in (job, job))),
        ("ZADD", f"{key}completed", *(word for job in range(17, 24) for word in (job, job))),
        ("ZADD", f"{key}failed", 24, 24),
        ("XADD", f"{key}events", "*", "event", "added"),
    ]


def queues_in(source: MetricsSource) -> int:
    """Count the queues that a scrape tells of; new ones are looked for beside it."""
    return exposition(source.read()).count(b"\nbullmq_queue_paused{")


def spent(link: Link) -> Spent:
    """Ask the server what it has spent."""
    cpu, stats = (
        info.parse(reply.decode())
        for reply in link.call_all([("INFO", "cpu"), ("INFO", "commandstats")])
        if isinstance(reply, bytes)
    )
    usec = sum(int(info.parts(text)["usec"]) for text in stats.values())
    seconds = float(cpu["used_cpu_sys"]) + float(cpu["used_cpu_user"])
    return Spent(usec / 1000, seconds * 1000)


def measure(path: str) -> tuple[Spent, float]:
    """Scrape a server with 1,000 queues; give the medians of its cost and of the length in ms."""
    with bare.serving(path) as server:
        return _measure(server.address)


def _measure(address: Address) -> tuple[Spent, float]:
    costs, lengths = [], []
    source = MetricsSource(address, search_seconds=NEVER_AGAIN)
    with Link(address) as link, closing(source):
        for number in range(QUEUES):
            link.call_all(queue(number))
        wait_until(lambda: queues_in(source) == QUEUES, "every queue was found", seconds=60)
        for _ in range(SCRAPES):
            before, began = spent(link), time.perf_counter()
            source.read()
            lengths.append(1000 * (time.perf_counter() - began))
            costs.append(spent(link).since(before))
    commands = statistics.median(one.commands for one in costs)
    process = statistics.median(one.process for one in costs)
    return Spent(commands, process), statistics.median(lengths)


def run(*servers: str) -> bool:
    """Measure and print; tell whether all limits are kept."""
    found = servers or tuple(filter(None, [binaries.find_embedded()]))
    if not found:
        print("scrape: no embedded server on this machine")
    kept = True
    for path in found:
        cost, length = measure(path)
        shown = binaries.inspect(path)
        print(f"scrape of {QUEUES} queues: medians of {SCRAPES}, on {shown}; the process spent")
        print(f"{cost.process:.1f} ms, and the whole scrape took {length:.0f} ms")
        kept &= at_most("the server's time in commands", cost.commands, COMMANDS_MS)
    return kept


if __name__ == "__main__":
    sys.exit(0 if run(*sys.argv[1:]) else 1)
