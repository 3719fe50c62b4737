"""The drill record: batches of rounds with one verdict each, and the tables that sum them up.

A batch is a line of JSON. A batch that is on record is not run again, so that a record of many
hours may be taken in pieces.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sturdis.core.drill import bounds
from sturdis.core.drill.duplicates import Cause
from sturdis.core.report import Verdict, tally

CELL = 80
"""Characters of a reason in a table's cell."""


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a batch ran."""

    cpus: int
    machine: str
    kernel: str
    load: float
    """Load average of one minute at its end: what else the machine had to do."""


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Some rounds of one drill on one server, and the verdict over all of them."""

    drill: str
    server: str
    """Product and version: `redis 7.0.15`."""
    seed: int
    rounds: int
    verdict: Verdict
    acknowledged: int
    lost: int
    """Acknowledged jobs lost without an excuse."""
    rounds_lost: int
    """Rounds that cost such a job."""
    excused: int
    """Acknowledged jobs lost that evidence excuses: an fsync under way, bytes destroyed."""
    rounds_excused: int
    configuration: str = "deployment"
    guarded: bool = True
    oldest: int | None = None
    """Age of the oldest lost job when its fault came, in milliseconds."""
    duplicates: Mapping[str, int] = {}
    """Starts that a run without faults would not have had, by cause."""
    figures: Mapping[str, float | None] = {}
    reasons: tuple[str, ...] = ()
    """Why the verdict is no pass."""
    seconds: float = 0.0
    commit: str = ""
    day: str = ""
    host: Host | None = None

    @property
    def met(self) -> int:
        """Rounds that put something at stake: others prove nothing, and are no trials."""
        return self.rounds - int(self.figures.get("unmet") or 0)

    @property
    def key(self) -> tuple[str, str, str, bool, int, int]:
        """What makes it the same batch when it is run again."""
        where = self.drill, self.server, self.configuration, self.guarded
        return *where, self.seed, self.rounds


_DECODER = msgspec.json.Decoder(Batch)


def encode(batch: Batch) -> bytes:
    """Give a batch as one line."""
    return msgspec.json.encode(batch, order="deterministic") + b"\n"


def decode(lines: Iterable[bytes]) -> list[Batch]:
    """Read batches; a line that was cut when its writer was killed is left out.

    Of the same batch the last one counts.
    """
    found: dict[tuple[object, ...], Batch] = {}
    for line in lines:
        try:
            batch = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        found[batch.key] = batch
    return list(found.values())


RECORD_COLUMNS = (
    "drill", "server", "rounds", "acknowledged", "LOST", "95 % bound", "excused", "oldest",
    "given again", "doubled", "verdicts", "again by",
)  # fmt: skip


def record_rows(batches: Sequence[Batch]) -> list[str]:
    """Give the table of the record: a row for each drill and server."""
    groups: dict[tuple[str, str], list[Batch]] = {}
    for batch in batches:
        groups.setdefault((batch.drill, batch.server), []).append(batch)
    rows = (_record_cells(some) for _key, some in sorted(groups.items()))
    return table(RECORD_COLUMNS, rows)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Give the lines of a Markdown table."""
    lines = (columns, ["---"] * len(columns), *rows)
    return [f"| {' | '.join(one)} |" for one in lines]


def _record_cells(some: Sequence[Batch]) -> Sequence[str]:
    first = some[0]
    rounds, hit = sum(one.met for one in some), sum(one.rounds_lost for one in some)
    return (
        first.drill,
        first.server,
        f"{rounds:,}",
        f"{sum(one.acknowledged for one in some):,}",
        f"{sum(one.lost for one in some):,}",
        bounds.percent(bounds.upper(hit, rounds)),
        excused(some),
        oldest(some),
        *again(some),
        verdicts(some),
        f'`make drill-record ARGS="{first.drill} --server {short(first.server)} --fresh"`',
    )


ONCE_COLUMNS = (
    "drill", "server", "rounds", "acknowledged", "LOST", "excused", "given again", "doubled",
    "verdict",
)  # fmt: skip


def once_rows(batches: Sequence[Batch]) -> list[str]:
    """Give the table of drills that were run once on each server: a row for each run."""
    ordered = sorted(batches, key=lambda one: (one.drill, one.server))
    return table(ONCE_COLUMNS, map(_once_cells, ordered))


def _once_cells(one: Batch) -> Sequence[str]:
    return (
        one.drill,
        one.server,
        str(one.rounds),
        f"{one.acknowledged:,}",
        str(one.lost),
        excused([one]),
        *again([one]),
        one.verdict.value,
    )


def short(server: str) -> str:
    """Give the release that the record's command knows a server by: `redis-7.0`."""
    product, _space, version = server.partition(" ")
    return f"{product}-{'.'.join(version.split('.')[:2])}"


def again(some: Sequence[Batch]) -> tuple[str, str]:
    """Count the jobs that were given to a worker again, and those that were added twice."""
    told = Counter[str]()
    for one in some:
        told.update(one.duplicates)
    given = told[Cause.REDELIVERY.value] + told[Cause.REPLAY.value]
    return f"{given:,}", f"{told[Cause.DOUBLE_ADD.value]:,}"


def excused(some: Sequence[Batch]) -> str:
    """Say how many lost jobs were excused, and how many rounds cost them."""
    jobs, rounds = sum(one.excused for one in some), sum(one.rounds_excused for one in some)
    return f"{jobs:,} in {rounds:,}" if jobs else "0"


def oldest(some: Sequence[Batch]) -> str:
    """Say how old the oldest lost job was, in seconds."""
    ages = [one.oldest for one in some if one.oldest is not None]
    return f"{max(ages) / 1000:.2f} s" if ages else ""


def verdicts(some: Sequence[Batch]) -> str:
    """Count the batches' verdicts: `40 pass, 1 unknown`."""
    return tally(one.verdict for one in some)


def comparison_rows(batches: Sequence[Batch], columns: Sequence[str]) -> list[str]:
    """Give the table of configurations: a row for each drill, a column for each of them."""
    cells: dict[str, dict[str, list[Batch]]] = {}
    for batch in batches:
        cells.setdefault(batch.drill, {}).setdefault(batch.configuration, []).append(batch)
    rows = (
        [drill, *(told_of(row[one]) if one in row else "not run" for one in columns)]
        for drill, row in sorted(cells.items())
    )
    return table(["drill", *columns], rows)


def told_of(some: Sequence[Batch]) -> str:
    """Say in a cell what a configuration lost, of how many acknowledged jobs, and the verdict.

    Of a drill that brings its own writes its figures are told, and of one that ended early, why.
    """
    lost, asked = sum(one.lost + one.excused for one in some), sum(one.acknowledged for one in some)
    if asked:
        return f"{lost:,} of {asked:,} lost; {verdicts(some)}"
    reasons = [reason for one in some for reason in one.reasons]
    why = shortened(reasons[0]) if reasons else figures_of(some)
    return f"{why}; {verdicts(some)}"


def shortened(reason: str) -> str:
    """Give the first words of a reason, so many as a cell holds."""
    return reason if len(reason) <= CELL else reason[:CELL].rpartition(" ")[0].rstrip(":,") + " …"


def figures_of(some: Sequence[Batch]) -> str:
    """Say the figures of a drill without a ledger: `cuts 88, lost 0`."""
    seen = some[-1].figures
    return ", ".join(f"{name} {value:g}" for name, value in seen.items() if value is not None)
