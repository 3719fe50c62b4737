"""`python -m bench.smallest [SERVER…]`: the memory that an empty server needs for one BullMQ job.

Prints, per server, what INFO counts against maxmemory and the most memory the process held, after
a start, a `sturdis verify` with its BullMQ job, and a rewrite of the append-only file.
"""

import re
import subprocess
import sys
from pathlib import Path

from tests.integration.servers import wait_until

from bench import bare
from bench.startup import STURDIS
from sturdis.adapters.local import binaries
from sturdis.core import units


def measure(path: str) -> str:
    """Run one server and give its line."""
    with bare.serving(path) as server:
        target = str(server.address)
        subprocess.run([*STURDIS, "verify", target], stdout=subprocess.DEVNULL, check=False)
        said(target, "bgrewriteaof")
        wait_until(lambda: not rewrites(target), "the rewrite is over", seconds=60)
        used = int(re.findall(r"used_memory:(\d+)", said(target, "info", "memory"))[0])
        status = Path(f"/proc/{server.pid}/status").read_text()
        most = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) << 10
    shown = f"{binaries.inspect(path)}"
    return f"{shown:<16}used_memory {units.human_bytes(used):<8} most {units.human_bytes(most)}"


def rewrites(target: str) -> bool:
    """Tell whether its append-only file is being rewritten."""
    return "aof_rewrite_in_progress:1" in said(target, "info", "persistence")


def said(target: str, *words: str) -> str:
    """Give the reply to one command."""
    return subprocess.run(
        [*STURDIS, "cli", "--target", target, *words], capture_output=True, text=True, check=True
    ).stdout


if __name__ == "__main__":
    for server in sys.argv[1:] or [binaries.find_embedded() or "redis-server"]:
        print(measure(server))
