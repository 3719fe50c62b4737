"""Kills the server of a running `up` twice under load, and prints what became of every job.

sturdis up --ephemeral --drills -- python examples/drills/kill9.py
"""

import sys

from sturdis import wiring
from sturdis.core.drill.drill_changes import Changes
from sturdis.core.report import Verdict


def main() -> int:
    outcome = wiring.drill("kill-9", Changes(seed=1, rounds=2), target="up")
    print("\n".join(outcome.lines()))
    return 0 if outcome.verdict is Verdict.PASS else 1


if __name__ == "__main__":
    sys.exit(main())
