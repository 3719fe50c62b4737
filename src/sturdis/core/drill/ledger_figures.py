"""Figures of every drill with load: what its ledger counts, by the names that drills expect."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from sturdis.core.drill import losses
from sturdis.core.drill.duplicates import Cause
from sturdis.core.drill.events import Acknowledged, Event, Intent
from sturdis.core.drill.ledger import Account, Fate
from sturdis.core.drill.observed import Figures

LOST_TO_REUSED_IDS = "lost_to_reused_ids"
"""Figure: jobs that a worker took for others of before a rollback, which had their ids."""


def of(account: Account, events: Sequence[Event]) -> Figures:
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
        "ids_reused": _ids_reused(events),
        LOST_TO_REUSED_IDS: losses.mistaken(account),
        "downtime": _downtime(events),
    }


def _ids_reused(events: Sequence[Event]) -> int:
    """Count BullMQ's job ids that were given to a second job: its counter was rolled back."""
    queues = {event.uuid: event.queue for event in events if isinstance(event, Intent)}
    holders: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for event in events:
        if isinstance(event, Acknowledged):
            holders[queues.get(event.uuid, ""), event.job_id].add(event.uuid)
    return sum(len(jobs) > 1 for jobs in holders.values())


def _downtime(events: Iterable[Event]) -> float | None:
    """Give the longest time between two acknowledged adds, in seconds."""
    times = sorted(event.at for event in events if isinstance(event, Acknowledged))
    return max((after - before for before, after in pairwise(times)), default=0) / 1000 or None
