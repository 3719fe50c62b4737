"""The report of a run for people, as lines, and for programs, as plain values."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from sturdis.core.drill import record, report_facts
from sturdis.core.drill.report_facts import NotedJob, Told

BARS = " ▁▂▃▄▅▆▇█"

WIDTH = 60
"""Characters of a line of bars, each a second or more."""

LABEL = 14
"""Characters before the text of a line; the ledger's lines have as many."""


def lines(told: Told) -> list[str]:
    """Give the report as lines."""
    run = told.run
    facts = (run.server, f"target {run.choices.target}", f"seed {run.seed}", f"rounds {run.rounds}")
    return [
        _line("drill", run.drill),
        _line("believed", " ".join(run.hypothesis.split())),
        _line("run", f"{at(run.began)}, {', '.join(filter(None, facts))}"),
        *(record.lines(told.account, told.timing) if told.account else []),
        *(_line(reason.verdict.value, reason.what) for reason in run.reasons),
        *_figures(run.figures),
        *_phases(told),
        *_bars(told),
        *_jobs("not done", told.lost),
        *_jobs("doubled", told.doubled),
        _line("kept", told.folder),
        _line("again", run.command),
    ]


def _line(label: str, text: str) -> str:
    return f"{label:<{LABEL}}{text}"


def at(moment: int) -> str:
    """Write a time in milliseconds since 1970 as people do, in UTC."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(" ", "milliseconds")[:-6] + "Z"


def figure(value: float | None) -> str:
    """Write a figure: 3, 0.476, or that it was not seen."""
    return "not seen" if value is None else f"{value:.6g}"


def _figures(figures: Mapping[str, float | None]) -> Iterator[str]:
    """Give what is not zero; the ledger's lines have most of the rest."""
    shown = [f"{name} {figure(value)}" for name, value in figures.items() if value != 0]
    if shown:
        yield _line("figures", ", ".join(shown))


def _phases(told: Told) -> Iterator[str]:
    for phase in told.phases:
        number = f" {phase.round}" if phase.round else ""
        began = (phase.at - told.origin) / 1000
        yield _line(f"{began:8.2f} s", f"{phase.part.value}{number}, {phase.until - phase.at} ms")


def _bars(told: Told) -> Iterator[str]:
    """Draw how many adds were acknowledged and jobs done, a bar for each second or more."""
    if told.account is None:
        return
    seconds = report_facts.per_second(told)
    each = -(-len(seconds) // WIDTH) or 1
    long = each * max(1000, told.step) // 1000
    for name in ("acknowledged", "done"):
        counts = [getattr(second, name) for second in seconds]
        joined = [sum(counts[first : first + each]) for first in range(0, len(counts), each)]
        most = max(joined, default=0)
        drawn = "".join(BARS[_height(count, most)] for count in joined)
        yield _line(name, f"{drawn}  a bar is {long} s, the highest {most}")


def _height(count: int, most: int) -> int:
    return 0 if not count else max(1, count * (len(BARS) - 1) // most)


def _jobs(label: str, jobs: Iterable[NotedJob]) -> Iterator[str]:
    for job in jobs:
        yield _line(label, f"{job.uuid}  {at(job.at)}  {job.what}")


def values(told: Told) -> Mapping[str, object]:
    """Give the report as plain values. Times are in milliseconds since 1970."""
    return {
        "bucket_milliseconds": told.step,
        "origin": told.origin,
        "phases": [
            {"part": one.part.value, "round": one.round, "at": one.at, "until": one.until}
            for one in told.phases
        ],
        "buckets": [asdict(bucket) for bucket in told.buckets],
        "not_done": _jobs_values(told.lost),
        "doubled": _jobs_values(told.doubled),
        "folder": told.folder,
    }


def _jobs_values(jobs: Sequence[NotedJob]) -> list[Mapping[str, object]]:
    return [{"uuid": job.uuid, "at": job.at, "what": job.what} for job in jobs]
