"""Results by kind of damage: as lines of JSON, and as rows of Markdown for the drill record."""

from collections.abc import Iterable, Sequence

import msgspec

from sturdis.core.drill import record_table
from tests.repair.judge import Outcome


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all cases of one kind came to on one server."""

    server: str
    """Product and version: `redis 7.0.15`."""
    kind: str
    seed: int
    cases: int
    acknowledged: int
    """Jobs that the folders held before the damage."""
    fix: int
    """Jobs kept by `redis-check-aof --fix`."""
    repair: int
    """Jobs kept by `sturdis repair`."""
    due: int
    """Cases in which whole jobs follow the damage that `--fix` threw away."""
    more: int
    """Cases in which `repair` kept strictly more."""
    fewer: int
    """Cases in which it kept fewer."""
    two_states: int
    """Cases after which a job stood in two places."""
    broken: int
    """Cases that broke any rule, those of `fewer` and `two_states` among them."""


def encode(line: Line) -> bytes:
    """Give one line of JSON."""
    return msgspec.json.encode(line, order="deterministic") + b"\n"


def decode(text: bytes) -> list[Line]:
    """Read lines; of the same server, kind and seed the last one counts."""
    found = (msgspec.json.decode(one, type=Line) for one in text.splitlines())
    return list({(one.server, one.kind, one.seed): one for one in found}.values())


def lines(server: str, outcomes: Iterable[Outcome]) -> list[Line]:
    """Add up outcomes by kind."""
    by_kind: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_kind.setdefault(outcome.case.kind, []).append(outcome)
    return [_line(server, some) for some in by_kind.values()]


def _line(server: str, some: Sequence[Outcome]) -> Line:
    first = some[0].case
    return Line(
        server,
        first.kind,
        first.seed,
        cases=len(some),
        acknowledged=sum(one.acknowledged for one in some),
        fix=sum(len(one.by_fix) for one in some),
        repair=sum(len(one.by_repair) for one in some),
        due=sum(one.more_is_due for one in some),
        more=sum(len(one.by_repair) > len(one.by_fix) for one in some),
        fewer=sum(len(one.by_repair) < len(one.by_fix) for one in some),
        two_states=sum(any("two states" in rule for rule in one.broken) for one in some),
        broken=sum(bool(one.broken) for one in some),
    )


COLUMNS = (
    "server", "damage", "cases", "jobs", "kept by `--fix`", "kept by `repair`", "strictly more",
    "due", "fewer", "two states", "again by",
)  # fmt: skip


def markdown(told: Iterable[Line]) -> list[str]:
    """Give the table: a row for each server and kind of damage."""
    return record_table.table(COLUMNS, map(_cells, told))


def _cells(one: Line) -> Sequence[str]:
    counts = (one.more, one.due, one.fewer, one.two_states)
    options = f"--server {record_table.short(one.server)} --kind {one.kind} --seed {one.seed}"
    return (
        one.server,
        one.kind,
        f"{one.cases:,}",
        f"{one.acknowledged:,}",
        _share(one.fix, one.acknowledged),
        _share(one.repair, one.acknowledged),
        *map(str, counts),
        f'`make repair-record ARGS="{options}"`',
    )


def _share(kept: int, all_: int) -> str:
    return f"{kept:,} ({100 * kept / all_:.1f} %)" if all_ else "0"
