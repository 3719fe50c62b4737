"""What `sturdis drill` prints: for people as it goes on, for programs at the end."""

import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sturdis.cli.output import Output, is_terminal, labelled, paint
from sturdis.cli.waiting import LiveLine
from sturdis.core.drill.asking import Listed
from sturdis.core.drill.phases import Part
from sturdis.core.drill.stored import StoredRun
from sturdis.core.report import Verdict, tally

if TYPE_CHECKING:
    from sturdis.core.drill.undo import Step

COLOURS = {Verdict.PASS: "green", Verdict.UNKNOWN: "yellow", Verdict.FAIL: "red"}

SHOWN = 6
"""Reasons that are told of a run; `drill report` has them all."""

NAMED, WIDTH = 20, 78
"""Columns of a drill's name, and of what is told beside it."""


class ForPrograms:
    """Tells nothing until the end."""

    def begins(self, drill: str, seed: int, rounds: int) -> None:
        """Hear that a drill begins."""

    def part(self, part: Part, number: int) -> None:
        """Hear that a part of it begins."""

    def ended(self, run: StoredRun, folder: str) -> None:
        """Hear what it came to."""


class ForPeople:
    """On a terminal one line shows how far it has come; each verdict is printed as it is found."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._line = LiveLine() if is_terminal(sys.stderr) else None
        self._drill = ""
        self._rounds = 0

    def begins(self, drill: str, seed: int, rounds: int) -> None:
        """Hear that a drill begins."""
        self._drill, self._rounds = drill, rounds
        if self._line is None:
            self._output.aside(f"sturdis: {drill}, seed {seed}, {_rounds(rounds)}")

    def part(self, part: Part, number: int) -> None:
        """Hear that a part of it begins."""
        if self._line:
            where = f"round {number} of {self._rounds}: " if number else ""
            self._line.show(f"{self._drill}  {where}{part.value}")

    def ended(self, run: StoredRun, folder: str) -> None:
        """Hear what it came to."""
        if self._line:
            self._line.end()
        self._output.text(run_text(run))
        if run.verdict is not Verdict.PASS:
            self._output.aside(f"sturdis: kept in {folder}; sturdis drill report shows it")


def run_text(run: StoredRun) -> str:
    """Tell what a run came to: its verdict, with every reason of that verdict first."""
    verdict = paint(f"{run.verdict.value:<8}", COLOURS[run.verdict])
    seconds = (run.ended - run.began) / 1000
    facts = (run.server, f"seed {run.seed}", _rounds(run.rounds), f"{seconds:.1f} s")
    head = f"{verdict}{run.drill:<18}{', '.join(filter(None, facts))}"
    reasons = [
        reason.what if reason.verdict is run.verdict else f"{reason.verdict.value}: {reason.what}"
        for reason in run.reasons
    ]
    left = len(reasons) - SHOWN
    shown = reasons[:SHOWN] + ([f"and {left} more reasons"] if left > 0 else [])
    return "\n".join([head, *(labelled("", reason, indent=" " * 3) for reason in shown)])


def _rounds(rounds: int) -> str:
    return "1 round" if rounds == 1 else f"{rounds} rounds"


def table(runs: Sequence[StoredRun]) -> str:
    """Sum up several runs: a line each, then how many came to which verdict."""
    head = ("verdict", "drill", "acknowledged", "LOST", "again", "downtime")
    rows: list[tuple[str, ...]] = [head, *map(_row, runs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if place > 1 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n" + "\n".join([*lines, "", counts(runs)])


def _row(run: StoredRun) -> tuple[str, ...]:
    def whole(*names: str) -> str:
        known = [figure for name in names if (figure := run.figures.get(name)) is not None]
        return f"{sum(known):.0f}" if known else "-"

    downtime = run.figures.get("downtime")
    return (
        run.verdict.value,
        run.drill,
        whole("acknowledged"),
        whole("lost"),
        whole("double_adds", "redeliveries", "replays"),
        "-" if downtime is None else f"{downtime:.1f} s",
    )


def counts(runs: Sequence[StoredRun]) -> str:
    """Say how many runs came to which verdict: `21 drills: 20 pass, 1 unknown`."""
    return f"{len(runs)} drills: {tally(run.verdict for run in runs)}"


def runs_values(runs: Sequence[StoredRun]) -> Mapping[str, object]:
    """Give runs as JSON."""
    return {"runs": [run_values(run) for run in runs]}


def run_values(run: StoredRun) -> Mapping[str, object]:
    """Give a run as JSON. Times are in milliseconds since 1970."""
    return {
        "drill": run.drill,
        "verdict": run.verdict.value,
        "reasons": [{"verdict": one.verdict.value, "what": one.what} for one in run.reasons],
        "figures": dict(run.figures),
        "server": run.server,
        "target": run.choices.target,
        "seed": run.seed,
        "rounds": run.rounds,
        "began": run.began,
        "ended": run.ended,
        "again": run.command,
    }


def listed_text(listed: Listed) -> str:
    """Tell of a drill: what is believed, what it needs, and what of that is lacking here."""
    scenario = listed.scenario
    believed = textwrap.wrap(" ".join(scenario.hypothesis.split()), WIDTH)
    needs = ", ".join(need.value for need in scenario.needs) or "nothing"
    rest = [*believed[1:], f"needs: {needs}"]
    if listed.lacking:
        rest.append(f"{paint('not here:', 'yellow')} {'; '.join(listed.lacking)}")
    head = f"{paint(f'{scenario.name:<{NAMED}}', 'cyan')}{believed[0]}"
    return "\n".join([head, *(" " * NAMED + line for line in rest)])


def listed_values(listed: Listed) -> Mapping[str, object]:
    """Give a drill as JSON."""
    scenario = listed.scenario
    return {
        "name": scenario.name,
        "hypothesis": scenario.hypothesis,
        "fault": scenario.fault.__struct_config__.tag,
        "undo": scenario.undo,
        "needs": [need.value for need in scenario.needs],
        "rounds": scenario.rounds,
        "lacking": list(listed.lacking),
    }


def step_text(step: "Step") -> str:
    """Tell of a step of the journal: `end process 4711`."""
    fields = [str(getattr(step, name)) for name in step.__struct_fields__ if name != "started"]
    return " ".join([str(step.__struct_config__.tag), *fields])


def step_values(step: "Step") -> Mapping[str, object]:
    """Give a step of the journal as JSON."""
    fields = {name: getattr(step, name) for name in step.__struct_fields__}
    return {"step": step.__struct_config__.tag, **fields}
