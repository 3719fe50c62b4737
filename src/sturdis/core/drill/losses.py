"""Lost jobs, each with the kill, the power cut or the destroyed bytes that cost it."""

import math
from dataclasses import dataclass

from sturdis.core.drill.events import Destroyed, Killed, PowerCut
from sturdis.core.drill.ledger import Account, Entry, Fate

READ_WITHIN = 1000
"""Milliseconds. A client that waits for a processor may read so much later, when the server serves
again, what the server of before had answered. Seen: 155, on two processors with a load of 30."""


@dataclass(frozen=True)
class Loss:
    """A lost job, and the kill that cost it if any did: the first after it was last seen."""

    entry: Entry
    kill: Killed | None
    destroyed: Destroyed | None = None
    """What destroyed the bytes that it was in, where anything did."""
    cut: PowerCut | None = None
    """What the kill left of the files, where it was a power cut."""
    named: bool = False
    """Whether the job is named in what the kill kept from the files, or took from them."""
    late: bool = False
    """Whether its reply was read when the server served again: it may be of either side."""

    @property
    def mistaken(self) -> bool:
        """Whether a worker took it for another of the same id, and nothing else explains it."""
        return bool(self.entry.taken_for) and not self.named and self.destroyed is None

    @property
    def age(self) -> int:
        """Milliseconds from the acknowledgement to the kill; 0 without one."""
        return max(0, self.kill.at - self.entry.acknowledged_at) if self.kill else 0


def losses(account: Account) -> tuple[Loss, ...]:
    """Give every lost job with the kill that may have cost it."""
    return tuple(_loss(entry, account) for entry in account.of(Fate.LOST))


def _loss(entry: Entry, account: Account) -> Loss:
    named = _naming(entry, account)
    kill = named or _kill_of(entry, account)
    if kill is None:
        return Loss(entry, None, _destroyer_of(entry, account))
    cut = account.power_cuts.get(kill.round)
    late = _is_late(kill, entry, account) and not _took(kill, entry, account)
    return Loss(entry, kill, _destroyer_of(entry, account), cut, named is not None, late)


def _naming(entry: Entry, account: Account) -> Killed | None:
    """Give the first kill that is known to have cost the job, whenever a worker still started it.

    A worker goes on with what it has in its own memory. A job that was acknowledged long after had
    been sent again, and was there. Bytes are more certain than a reply that was read late.
    """
    late, first = None, True
    for kill in account.faults:
        if entry.acknowledged_at >= _read_by(kill, account):
            continue
        if _took(kill, entry, account):
            return kill
        is_late = _is_late(kill, entry, account)
        if first and entry.uuid in kill.unwritten:
            if not is_late:
                return late or kill
            late = late or kill
        first = first and is_late  # what one kill left, and the next one misses, was not held back
    return late


def _took(kill: Killed, entry: Entry, account: Account) -> bool:
    cut = account.power_cuts.get(kill.round)
    return cut is not None and entry.uuid in cut.uuids


def _is_late(kill: Killed, entry: Entry, account: Account) -> bool:
    """Tell whether the reply was read when the server served again."""
    return entry.acknowledged_at >= account.served.get(kill.round, math.inf)


def _read_by(kill: Killed, account: Account) -> float:
    """Give until when a reply of before the kill may be read, in milliseconds since 1970."""
    return account.served.get(kill.round, math.inf) + READ_WITHIN


def _destroyer_of(entry: Entry, account: Account) -> Destroyed | None:
    """A job that is named in the bytes was in Redis, whenever its client read the reply."""
    for one in account.destroyed:
        if entry.uuid in one.uuids or (one.everything and _before(entry, one, account)):
            return one
    return None


def _before(entry: Entry, one: Destroyed, account: Account) -> bool:
    """Tell whether it was acknowledged before the server served again.

    A worker may still be at it later: that is no sign of it in Redis.
    """
    return entry.acknowledged_at < account.served.get(one.round, one.at)


def _kill_of(entry: Entry, account: Account) -> Killed | None:
    """A client may read its reply while the server is down already: that kill is the one."""
    for kill in account.faults:
        if entry.seen_at < account.served.get(kill.round, math.inf):
            return kill
        late = 0 < entry.asked_at < kill.at and entry.seen_at == entry.acknowledged_at
        if late and entry.acknowledged_at < _read_by(kill, account):
            return kill
    return None


def mistaken(account: Account) -> int:
    """Count the jobs that are not done since a worker took them for others of the same id."""
    lost = sum(loss.mistaken for loss in losses(account))
    return lost + sum(bool(entry.taken_for) for entry in account.of(Fate.UNTOLD))
