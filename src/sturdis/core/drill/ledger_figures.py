"""Figures of every drill with load: what its ledger counts, by the names that drills expect."""

from collections.abc import Iterable
from itertools import pairwise

from sturdis.core.drill.duplicates import Cause
from sturdis.core.drill.events import Acknowledged, Event
from sturdis.core.drill.ledger import Account, Fate
from sturdis.core.drill.observed import Figures


def of(account: Account, events: Iterable[Event]) -> Figures:
    """Give the figures of a ledger; docs/drills.md says what each counts."""
    fates, rest = account.fates, account.unpromised
    return {
        "acknowledged": len(account.entries),
        "processed": fates[Fate.PROCESSED],
        "lost": fates[Fate.LOST],
        "pending": fates[Fate.PENDING],
        "failed_as_stalled": fates[Fate.STALLED],
        "refused": rest.rejected,
        "refused_there": rest.rejected_there,
        "in_doubt": rest.in_doubt,
        "in_doubt_there": rest.in_doubt_there,
        "double_adds": account.duplicates.get(Cause.DOUBLE_ADD, 0),
        "redeliveries": account.duplicates.get(Cause.REDELIVERY, 0),
        "replays": account.duplicates.get(Cause.REPLAY, 0),
        "done_twice": account.done_twice,
        "downtime": _downtime(events),
    }


def _downtime(events: Iterable[Event]) -> float | None:
    """Give the longest time between two acknowledged adds, in seconds."""
    times = sorted(event.at for event in events if isinstance(event, Acknowledged))
    return max((after - before for before, after in pairwise(times)), default=0) / 1000 or None
