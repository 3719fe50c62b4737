"""How long `verify` takes on a healthy server: an empty one, and one with a large database."""

import os
import statistics
import subprocess
import sys

from bench.figures import PAIRS, at_most, wall_ms
from sturdis.adapters.local import binaries
from sturdis.adapters.redis.link import Link
from sturdis.core import address

VERIFY_MS = 1000
KEYS = 500_000
STURDIS = (sys.executable, "-m", "sturdis")

FILL = """
redis.call('SET', 'bull:mails:id', ARGV[1]) redis.call('HSET', 'bull:mails:meta', 'version', 'x')
for i = 1, ARGV[1] do redis.call('HSET', 'bull:mails:' .. i, 'name', 'mail', 'data', '{}') end
"""


def run() -> bool:
    """Measure and print; tell whether all limits are kept."""
    if binaries.find_embedded() is None:
        print("look: no embedded server on this machine")
        return True
    if "STURDIS_TARGET" in os.environ:  # inside the server that is looked at
        return _measure(os.environ["STURDIS_TARGET"])
    inside = (sys.executable, "-c", "import sys; from bench import look; sys.exit(not look.run())")
    up = (*STURDIS, "up", "--ephemeral", "--server", "embedded", "--", *inside)
    return subprocess.run(up, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _measure(target: str) -> bool:
    print(f"look: medians of {PAIRS}")
    empty = at_most("verify of an empty server", _verify_ms(), VERIFY_MS)
    with Link(address.parse(target), reply_seconds=None) as link:
        link.call("EVAL", FILL, 0, KEYS)
    full = at_most(f"verify of a server with {KEYS:,} jobs", _verify_ms(), VERIFY_MS)
    return empty and full


def _verify_ms() -> float:
    def verify() -> None:
        subprocess.run([*STURDIS, "verify"], check=True, stdout=subprocess.DEVNULL)

    return statistics.median(wall_ms(verify) for _ in range(PAIRS))
