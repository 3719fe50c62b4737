"""One case by itself: `python -m tests.repair.case SEED:KIND:N [--server NAME]`.

Prints what --fix and repair keep and which rule is broken, and leaves the folder: damaged, fixed
and repaired.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from sturdis.core.aof.guard import FOLDER
from tests import matrix
from tests.repair.judge import Case, judge
from tests.repair.running import mend, sources


def main() -> int:
    """Judge the case; 1: a rule is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.repair.case")
    parser.add_argument("case", metavar="SEED:KIND:N")
    rows = {str(row): row for row in matrix.ROWS}
    parser.add_argument("--server", choices=rows)
    asked = parser.parse_args()
    seed, kind, number = asked.case.split(":")
    case = Case(int(seed), kind, int(number))
    row = rows[asked.server] if asked.server else matrix.ROWS[case.seed % len(matrix.ROWS)]
    source = sources(row.server, case.seed, [case.shape])[case.shape]
    folder = Path(tempfile.mkdtemp(prefix="repair-case-"))
    for name, files in {"whole": source.files, "damaged": case.damaged(source).files}.items():
        (folder / name / FOLDER).mkdir(parents=True)
        for file, content in files.items():
            (folder / name / FOLDER / file).write_bytes(content)
    outcome = judge(case, source, folder, mend)
    _say(f"{case} on {row.name}, folder {case.shape}: {folder}")
    for mark in case.damaged(source).marks:
        _say(f"damaged       {mark.file} from {mark.start} to {mark.end}")
    _say(f"acknowledged  {outcome.acknowledged}; {len(outcome.following)} follow the damage")
    _say(f"--fix keeps   {len(outcome.by_fix)}")
    _say(f"repair keeps  {len(outcome.by_repair)} {outcome.refused}")
    for uuid in sorted(outcome.by_fix - outcome.by_repair)[:10]:
        _say(f"only by fix   {uuid}")
    for rule in outcome.limits:
        _say(f"limit         {rule}")
    for rule in outcome.broken:
        _say(f"broken        {rule}")
    return 1 if outcome.broken else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
