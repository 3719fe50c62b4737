"""Why a job was started more often than a run without faults would have started it."""

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

from sturdis.core.drill.events import Started
from sturdis.core.drill.history import History


class Cause(Enum):
    """What made a start a duplicate."""

    DOUBLE_ADD = "double add"
    """The job ran under two job ids: its add was sent again after its reply was lost."""
    REDELIVERY = "redelivery"
    """Redis gave the same job to a worker again: its worker had lost it."""
    REPLAY = "replay"
    """Redis counts a start that it had counted before: it was rolled back in between."""


def causes(job: History) -> Counter[Cause]:
    """Count the job's duplicate starts by cause.

    A start after a failure that Redis counted as an attempt is a retry, and no duplicate.
    """
    starts_by_id: dict[str, list[Started]] = {}
    for start in job.started:
        starts_by_id.setdefault(start.job_id, []).append(start)
    found = Counter({Cause.DOUBLE_ADD: max(0, len(starts_by_id) - 1)})
    for starts in starts_by_id.values():
        found.update(_again(starts))
    return +found  # without zeros


def _again(starts: Sequence[Started]) -> Counter[Cause]:
    """Count the duplicates among the starts of one job id, in the order of their times.

    A worker that reads its reply late tells of a start behind the next one: no rollback.
    """
    found: Counter[Cause] = Counter()
    counted = set[int]()
    for before, start in pairwise(starts):
        counted.add(before.starts)
        if start.starts in counted:
            found[Cause.REPLAY] += 1
        elif start.attempts <= before.attempts:
            found[Cause.REDELIVERY] += 1
    return found
