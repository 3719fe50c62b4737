"""`python -m bench.volume [SERVER…]`: the most disk that a full server takes, in maxmemory.

Fills a server with values that do not compress, then overwrites them until it has rewritten its
append-only file three times, and prints the largest size that its folder had meanwhile.
"""

import os
import random
import sys
from pathlib import Path

import redis

from bench import bare
from sturdis.adapters.local import binaries
from sturdis.core.spec import Memory, Spec

MAXMEMORY = 256 << 20
FULL = 0.9
VALUE_BYTES = 1000
BATCH = 200
REWRITES = 3


def measure(path: str) -> str:
    """Run one server and give its line."""
    spec = Spec(memory=Memory(limit=2 * MAXMEMORY, maxmemory=MAXMEMORY))
    with bare.serving(path, spec) as server:
        most = most_disk(redis.Redis(port=server.port), server.folder)
    return f"{binaries.inspect(path)!s:<16}{most / MAXMEMORY:.2f} times maxmemory"


def most_disk(client: redis.Redis, folder: Path) -> int:
    """Fill, overwrite, and give the largest size of the folder, in bytes."""
    most, keys, rewrites, rewriting = 0, 0, 0, False
    full = False
    while rewrites < REWRITES:
        batch = client.pipeline(transaction=False)
        for number in range(BATCH):
            key = random.randrange(keys) if full else keys + number  # noqa: S311  no secret
            batch.set(f"key:{key}", os.urandom(VALUE_BYTES))
        batch.execute()
        if not full:
            keys += BATCH
            full = client.info("memory")["used_memory"] > FULL * MAXMEMORY
        now = bool(client.info("persistence")["aof_rewrite_in_progress"])
        rewrites += full and rewriting and not now
        rewriting = now
        most = max(most, sum(size(path) for path in folder.rglob("*")))
    return most


def size(path: Path) -> int:
    """Bytes of a file; 0 when it is gone meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


if __name__ == "__main__":
    for server in sys.argv[1:] or [binaries.find_embedded() or "redis-server"]:
        print(measure(server))
