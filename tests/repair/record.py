"""`make repair-record`: cases of every kind on the servers of the matrix, and what they came to.

Each server and kind is a line of JSON, added to `LINES`; the tables between the markers in the
drill record are drawn from all of them. A line that is there is not made again without `--fresh`,
so that a record may be taken in pieces.
"""

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence

from record import page

from sturdis.adapters.local import binaries
from tests import matrix, tiers
from tests.matrix import Row
from tests.repair import damage, running, table
from tests.repair.judge import Outcome
from tests.repair.table import Line

LINES = tiers.ROOT / "docs/repair-record.jsonl"
CASES = 20
"""Of each kind on each server."""


def main() -> int:
    """Take what is missing of the record, and draw it; 1: a case broke a rule."""
    asked = _arguments()
    known = table.decode(LINES.read_bytes()) if LINES.exists() else []
    broken = 0
    for row in matrix.ROWS:
        if asked.server in {None, str(row)} and not row.missing():
            for line in _taken(row, asked, known):
                broken += line.broken
                with LINES.open("ab") as file:
                    file.write(table.encode(line))
    _draw()
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make repair-record")
    parser.add_argument("--server", choices=[str(row) for row in matrix.ROWS])
    parser.add_argument("--kind", choices=damage.KINDS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=CASES, help="of each kind on each server")
    parser.add_argument("--fresh", action="store_true", help="also what is on record")
    return parser.parse_args()


def _taken(row: Row, asked: argparse.Namespace, known: Sequence[Line]) -> Iterator[Line]:
    server = str(binaries.inspect(row.server))
    there = {one.kind for one in known if (one.server, one.seed) == (server, asked.seed)}
    kinds = [asked.kind] if asked.kind else damage.KINDS
    missing = [one for one in kinds if asked.fresh or one not in there]
    if not missing:
        return
    some = running.sources(row.server, asked.seed)
    numbers = range(asked.cases)
    judged = [case for kind in missing for case in running.cases(asked.seed, numbers, [kind])]
    told = _told(row, running.outcomes(some, judged))
    for _kind, outcomes in itertools.groupby(told, lambda one: one.case.kind):
        yield from table.lines(server, outcomes)


def _told(row: Row, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """Say each case that breaks a rule, with what shows it alone."""
    for outcome in outcomes:
        for rule in outcome.broken:
            sys.stdout.write(f"{running.again(outcome.case, str(row))}    # {rule}\n")
        yield outcome


def _draw() -> None:
    told = table.decode(LINES.read_bytes())
    rows = [*table.by_kind(told), "", *table.by_server(told)]
    sys.stdout.write("".join(f"{row}\n" for row in rows))
    page.PAGE.write_text(page.between(page.PAGE.read_text(), "repair", rows))


if __name__ == "__main__":
    sys.exit(main())
