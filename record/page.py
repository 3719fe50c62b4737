"""docs/drill-record.md: what is between its markers is made from the batches on record."""

from collections.abc import Sequence
from pathlib import Path

from record import plan, results
from record.results import ROOT
from sturdis.core.drill import configurations, record_table
from sturdis.core.drill.record_table import Batch

PAGE = ROOT / "docs/drill-record.md"


def render(page: str, batches: Sequence[Batch]) -> str:
    """Give the page with its tables made anew; all else stays as it is.

    Raises:
        ValueError: It lacks a pair of markers.
    """
    ours = [one for one in batches if one.configuration == "deployment" and one.guarded]
    names = {many.drill for many in plan.RECORD}
    many = [one for one in ours if one.drill in names and is_of_the_record(one)]
    once = [one for one in ours if one.drill not in names]
    compared = [one for one in batches if is_compared(one)]
    columns = [one.name for one in configurations.ALL]
    page = between(page, "record", record_table.record_rows(many))
    page = between(page, "others", record_table.once_rows(once))
    page = between(page, "comparison", record_table.comparison_rows(compared, columns))
    page = between(page, "host", [host_line(many)])
    return between(page, "reasons", reasons(batches))


def is_of_the_record(batch: Batch) -> bool:
    """Tell whether a batch is one of the thousand rounds, rather than one of the comparison."""
    return any(many.drill == batch.drill and many.rounds == batch.rounds for many in plan.RECORD)


def is_compared(batch: Batch) -> bool:
    """Tell whether a batch is one of the comparison: all of it runs on one server."""
    known = {(many.drill, many.rounds) for many in plan.COMPARED}
    where = record_table.short(batch.server)
    return where == plan.COMPARED_ON and (batch.drill, batch.rounds) in known


def between(page: str, name: str, lines: Sequence[str]) -> str:
    """Put lines between the markers of `name`.

    Raises:
        ValueError: The page lacks them.
    """
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    before, found, rest = page.partition(begin)
    _old, also, after = rest.partition(end)
    if not found or not also:
        raise ValueError(f"no {begin.strip()} … {end} in the page")
    return before + begin + "".join(f"{line}\n" for line in lines) + end + after


def reasons(batches: Sequence[Batch]) -> list[str]:
    """List each of our own batches that is no pass, with its reason."""
    ours = (one for one in batches if one.configuration == "deployment" and one.reasons)
    rows = [
        (one.drill, one.server, str(one.seed), one.verdict.value, one.reasons[0])
        for one in sorted(ours, key=lambda one: one.key)
    ]
    if not rows:
        return ["None."]
    return record_table.table(("drill", "server", "seed", "verdict", "why"), rows)


def host_line(batches: Sequence[Batch]) -> str:
    """Say where the record was taken, and what else the machine had to do."""
    hosts = [one.host for one in batches if one.host]
    if not hosts:
        return "Nothing is on record yet."
    loads, days = [one.load for one in hosts], sorted({one.day for one in batches if one.day})
    commits = sorted({one.commit for one in batches if one.commit})
    seconds = sum(one.seconds for one in batches)
    first = hosts[0]
    return (
        f"Taken {days[0]} to {days[-1]} on {first.cpus} cores ({first.machine}, {first.kernel}), "
        f"load average {min(loads):.1f} to {max(loads):.1f}, in {seconds / 60:.0f} minutes of all "
        f"servers together; {len(commits)} commits, the batches' lines name theirs."
    )


def write(page: Path = PAGE) -> None:
    """Make the page's tables from what is on record."""
    page.write_text(render(page.read_text(), results.read()))
