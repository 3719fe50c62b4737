"""Runs of drills that are kept, read again."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sturdis.core.drill.report_facts import Told


def report_drill(named: str | None = None) -> "Told":
    """Read a run again, and account for its jobs.

    Args:
        named: Its name, the beginning of that, or its folder; None: the latest.

    Raises:
        DrillError: `drill.no_run`, `drill.log_damaged` or `drill.log_lost`. Damaged is also a
            folder whose logs and survey do not tell what the run's record says.
    """
    from sturdis.adapters.drill import ledger_log, run_store
    from sturdis.core.drill import report_facts, stored_figures

    folder = run_store.find(named)
    stored, survey = run_store.read(folder)
    events = ledger_log.read(folder).events
    told = report_facts.told(stored, events, survey, str(folder))
    if differs := stored_figures.differing(stored, events, told.account):
        raise run_store.damaged(folder, differs)
    return told
