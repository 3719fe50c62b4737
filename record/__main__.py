"""`python -m record [DRILL…] [--server RELEASE] [--compare] [--fresh] [--page]`: the drill record.

Runs what is not on record yet, all servers beside each other, and writes docs/drill-record.md.
Ended half-way it goes on where it was, the next time; a batch is on record whole or not at all.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence

from tests import matrix
from tests.matrix import Row

from record import batches, page, plan, results
from record.plan import Wanted
from sturdis.core.drill import configurations

NICE = 10
"""The record takes an hour; whoever works on the machine meanwhile goes first."""


def main(words: Sequence[str]) -> int:
    """Run what is asked for; 1 when a batch of ours is no pass."""
    asked = parse(words)
    rows = [one for one in matrix.ROWS if not asked.server or str(one) in asked.server]
    wanted = list(wanted_of(asked, rows))
    if asked.worker:
        return work(wanted)
    if asked.fresh:
        results.forget({batches.key(one) for one in wanted})
    ended = 0 if asked.page else run_all(words, rows, wanted)
    page.write()
    return ended


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make drill-record")
    parser.add_argument("drills", nargs="*", help="drills; all of the record by default")
    parser.add_argument("--server", action="append", choices=[str(one) for one in matrix.ROWS])
    parser.add_argument("--compare", action="store_true", help="the other configurations instead")
    parser.add_argument("--others", action="store_true", help="every other drill once instead")
    parser.add_argument("--configuration", action="append", choices=configurations.BY_NAME)
    parser.add_argument("--fresh", action="store_true", help="what is on record is run again")
    parser.add_argument("--page", action="store_true", help="only write docs/drill-record.md")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(words)


def wanted_of(asked: argparse.Namespace, rows: Sequence[Row]) -> Sequence[Wanted]:
    """Give the batches that are asked for."""
    if asked.compare:
        names = asked.configuration or list(configurations.BY_NAME)
        every = plan.comparison(asked.drills, names)
        return [one for one in every if one.row in rows]
    if asked.others:
        return list(plan.others(asked.drills, rows, batches.local()))
    return list(plan.record(asked.drills, rows))


def run_all(words: Sequence[str], rows: Sequence[Row], wanted: Sequence[Wanted]) -> int:
    """Have a process for each server run its batches: a rig belongs to the thread that made it."""
    for row in rows:
        if missing := row.missing():
            sys.stdout.write(f"{row}: not run: {missing}\n")
    here = [row for row in rows if not row.missing() and any(one.row is row for one in wanted)]
    rest = [word for word in words if word != "--fresh"]
    start = ["nice", "-n", str(NICE), sys.executable, "-m", "record", "--worker", *rest]
    running = [subprocess.Popen([*start, "--server", str(row)], cwd=results.ROOT) for row in here]
    try:
        return max((one.wait() for one in running), default=0)
    finally:
        for one in running:
            one.wait()  # after Ctrl-C: each undoes what it broke


def work(wanted: Sequence[Wanted]) -> int:
    """Run what is not on record, one after the other; 1 when a batch of ours is no pass."""
    ended = 0
    for one in wanted:
        if batches.key(one) in {done.key for done in results.read()}:
            continue
        batch = batches.run(one)
        if batches.is_a_trial(one, batch):
            results.append(batch)
        sys.stdout.write(f"{batches.line(batch)}\n")
        sys.stdout.flush()
        bad = bool(batch.reasons) and batch.configuration == "deployment"
        ended = max(ended, int(bad))
    return ended


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
