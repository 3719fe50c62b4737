"""Whether what is kept of a run belongs together: its record, its logs and its survey."""

from collections.abc import Sequence

from sturdis.core.drill import ledger_figures
from sturdis.core.drill.events import Event, Phase
from sturdis.core.drill.ledger import Account
from sturdis.core.drill.stored import StoredRun
from sturdis.core.report import Verdict

COUNTED = ("acknowledged", "processed", "lost")
"""Figures that the logs and the survey must tell again."""


def differing(run: StoredRun, events: Sequence[Event], account: Account | None) -> str:
    """Say what the logs and the survey tell otherwise than the record of the run; empty: nothing.

    A report of such a folder would show a verdict beside numbers that are not its own. `account` is
    of these logs and their survey; None: there is no survey.
    """
    kept = [name for name in COUNTED if run.figures.get(name) is not None]
    if run.verdict is not Verdict.UNKNOWN and not any(isinstance(one, Phase) for one in events):
        return "its logs tell of no part of the run"
    if not kept:
        return ""
    if account is None:
        return "the survey of its jobs is missing"
    found = ledger_figures.of(account, events)
    wrong = [name for name in kept if found.get(name) != run.figures[name]]
    return "; ".join(
        f"{name}: {run.figures[name]} by the record, {found.get(name)} by its logs"
        for name in wrong
    )
