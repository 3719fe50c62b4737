"""`make repair-record`: cases of every kind on the servers of the matrix, and what they came to.

Each server and kind is a line of JSON, added to `LINES`; the table between the markers in the drill
record is drawn from all of them. A line that is there is not made again, so that a record may be
taken in pieces.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence

from sturdis.adapters.local import binaries
from tests import matrix, tiers
from tests.matrix import Row
from tests.repair import damage, running, table
from tests.repair.judge import Outcome
from tests.repair.table import Line

LINES = tiers.ROOT / "docs/drill-record/repair.jsonl"
DOCUMENT = tiers.ROOT / "docs/drill-record.md"
BETWEEN = re.compile(r"(<!-- repair:begin -->\n).*?(<!-- repair:end -->)", re.DOTALL)
CASES = 50
"""Of each kind on each server."""


def main() -> int:
    """Take what is missing of the record; 1: a case broke a rule."""
    asked = _arguments()
    LINES.parent.mkdir(exist_ok=True)
    known = table.decode(LINES.read_bytes()) if LINES.exists() else []
    broken = False
    for row in matrix.ROWS:
        if asked.server in {None, str(row)} and not row.missing():
            for line in _taken(row, asked, known):
                broken = broken or bool(line.broken)
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
    return parser.parse_args()


def _taken(row: Row, asked: argparse.Namespace, known: Sequence[Line]) -> Iterator[Line]:
    found = binaries.inspect(row.server)
    server = f"{found.product} {'.'.join(map(str, found.version))}"
    there = {one.kind for one in known if (one.server, one.seed) == (server, asked.seed)}
    kinds = [asked.kind] if asked.kind else [one for one in damage.KINDS if one not in there]
    if not kinds:
        return
    some = running.sources(row.server, asked.seed)
    judged = running.cases(asked.seed, range(asked.cases), kinds)
    yield from table.lines(server, _told(row, running.outcomes(some, judged)))


def _told(row: Row, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    for outcome in outcomes:
        for rule in outcome.broken:
            command = f"python -m tests.repair.case {outcome.case} --server {row}"
            sys.stdout.write(f"{command}    # {rule}\n")
        yield outcome


def _draw() -> None:
    """Draw the table into the drill record, where that has a place for it; print it as well."""
    rows = "".join(f"{row}\n" for row in table.markdown(table.decode(LINES.read_bytes())))
    sys.stdout.write(rows)
    if DOCUMENT.exists():
        text = DOCUMENT.read_text()
        DOCUMENT.write_text(BETWEEN.sub(lambda match: f"{match[1]}{rows}{match[2]}", text))


if __name__ == "__main__":
    sys.exit(main())
