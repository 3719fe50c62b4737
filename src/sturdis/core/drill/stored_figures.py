"""Whether what is kept of a run belongs together: its record, its logs and its survey."""

from collections.abc import Sequence

from sturdis.core.drill import ledger, ledger_figures
from sturdis.core.drill.events import Event, Phase, Survey
from sturdis.core.drill.stored import StoredRun
from sturdis.core.report import Verdict

COUNTED = ("acknowledged", "processed", "lost")
"""Figures that the logs and the survey must tell again."""


def differing(run: StoredRun, events: Sequence[Event], survey: Survey | None) -> str:
    """Say what the logs and the survey tell otherwise than the record of the run; empty: nothing.

    A report of such a folder would show a verdict beside numbers that are not its own.
    """
    kept = [name for name in COUNTED if run.figures.get(name) is not None]
    if run.verdict is not Verdict.UNKNOWN and not any(isinstance(one, Phase) for one in events):
        return "its logs tell of no part of the run"
    if not kept:
        return ""
    if survey is None:
        return "the survey of its jobs is missing"
    found = ledger_figures.of(ledger.account(events, survey), events)
    wrong = [name for name in kept if found.get(name) != run.figures[name]]
    return "; ".join(
        f"{name}: {run.figures[name]} by the record, {found.get(name)} by its logs"
        for name in wrong
    )
