"""Results by kind of damage: as lines of JSON, and as rows of Markdown for the drill record."""

from collections.abc import Callable, Iterable, Iterator, Sequence

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
    limits: int = 0
    """Cases that broke one where no byte shows it."""


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
        due=sum(one.more_is_due and not one.limits for one in some),
        more=sum(len(one.by_repair) > len(one.by_fix) for one in some),
        fewer=sum(len(one.by_repair) < len(one.by_fix) for one in some),
        two_states=sum(any("two states" in rule for rule in one.broken) for one in some),
        broken=sum(bool(one.broken) for one in some),
        limits=sum(bool(one.limits) for one in some),
    )


COLUMNS = (
    "cases", "jobs", "kept by `--fix`", "kept by `repair`", "strictly more", "due", "fewer",
    "two states", "limits", "again by",
)  # fmt: skip


def summary(told: Sequence[Line]) -> str:
    """Say in one line what all cases came to."""
    cases, jobs, fix, repair, *counts = _cells(told)
    more, due, fewer, two_states, limits = counts
    return (
        f"{cases} cases, {jobs} jobs: --fix keeps {fix}, repair {repair}; strictly more in {more} "
        f"({due} due), fewer in {fewer}, two states in {two_states}, limits in {limits}"
    )


def by_kind(told: Sequence[Line]) -> list[str]:
    """Give a row for each kind of damage, all servers together."""
    rows = _groups(told, lambda one: one.kind, lambda kind: f"--kind {kind}")
    return record_table.table(("damage", *COLUMNS), rows)


def by_server(told: Sequence[Line]) -> list[str]:
    """Give a row for each server, all kinds of damage together."""
    rows = _groups(
        told, lambda one: one.server, lambda name: f"--server {record_table.short(name)}"
    )
    return record_table.table(("server", *COLUMNS), rows)


def _groups(
    told: Iterable[Line], name: Callable[[Line], str], options: Callable[[str], str]
) -> Iterator[Sequence[str]]:
    groups: dict[str, list[Line]] = {}
    for one in told:
        groups.setdefault(name(one), []).append(one)
    for key, some in groups.items():
        yield (key, *_cells(some), f'`make repair-record ARGS="--fresh {options(key)}"`')


def _cells(some: Sequence[Line]) -> Sequence[str]:
    jobs = sum(one.acknowledged for one in some)
    shown = ("more", "due", "fewer", "two_states", "limits")
    counts = (sum(getattr(one, name) for one in some) for name in shown)
    return (
        f"{sum(one.cases for one in some):,}",
        f"{jobs:,}",
        _share(sum(one.fix for one in some), jobs),
        _share(sum(one.repair for one in some), jobs),
        *(f"{count:,}" for count in counts),
    )


def _share(kept: int, all_: int) -> str:
    return f"{kept:,} ({100 * kept / all_:.1f} %)" if all_ else "0"
