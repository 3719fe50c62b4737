"""Kills the server of a running `up` twice under load, and prints what became of every job.

sturdis up --ephemeral -- python examples/drills/kill9.py
"""

import sys
import tempfile
from pathlib import Path

from sturdis import wiring
from sturdis.core.drill.kill9 import Kill9
from sturdis.core.drill.verdict import Timing
from sturdis.core.report import Verdict


def main() -> int:
    # Shorter than BullMQ's own times, with which a verdict takes 90 s more.
    timing = Timing(lock_duration=1000, stalled_interval=500)
    with tempfile.TemporaryDirectory() as folder:
        record = wiring.kill9(Kill9(rounds=2, timing=timing), Path(folder) / "log")
    print("\n".join(record.lines()))
    return 0 if record.judgement.verdict is Verdict.PASS else 1


if __name__ == "__main__":
    sys.exit(main())
