"""The ledger as people read it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sturdis.core.drill import losses
from sturdis.core.drill.ledger import Account, Fate
from sturdis.core.drill.losses import Loss
from sturdis.core.drill.verdict import Timing

SHOWN_LOSSES = 10
"""Lost jobs that are named; the log has them all."""


def lines(account: Account, timing: Timing) -> list[str]:
    """Give the account, the first of the lost jobs, and the times that it was made with."""
    lost = losses.losses(account)
    return [
        _asked(account),
        f"acknowledged  {_fates(account)}",
        f"duplicates    {_duplicates(account)}",
        *_mistaken(account),
        *_faults(account),
        _times(timing),
        *(f"LOST          {_loss(loss)}" for loss in lost[:SHOWN_LOSSES]),
        *([f"LOST          and {len(lost) - SHOWN_LOSSES} more"] if lost[SHOWN_LOSSES:] else []),
    ]


def _asked(account: Account) -> str:
    rest = account.unpromised
    return (
        f"asked         {account.asked}: {len(account.entries)} acknowledged, "
        f"{rest.rejected} refused ({rest.rejected_there} there), "
        f"{rest.in_doubt} in doubt ({rest.in_doubt_there} there)"
    )


def _fates(account: Account) -> str:
    """Always name processed and LOST, others where there are any."""
    fates = account.fates
    always = (Fate.PROCESSED, Fate.LOST)
    shown = (fate for fate in Fate if fates[fate] or fate in always)
    return ", ".join(f"{fates[fate]} {fate.value}" for fate in shown)


def _duplicates(account: Account) -> str:
    counts = [f"{count} by {cause.value}" for cause, count in account.duplicates.items()]
    return f"{', '.join(counts) or 'none'}; {account.done_twice} jobs done more than once"


def _faults(account: Account) -> Sequence[str]:
    if not account.faults:
        return ()
    seen = [fault.delayed_fsyncs for fault in account.faults if fault.delayed_fsyncs is not None]
    unknown = len(account.faults) - len(seen)
    late = f"aof_delayed_fsync rose by {sum(seen)}" + (f", {unknown} unknown" if unknown else "")
    busy = sum(bool(fault.fsync_pending) for fault in account.faults)
    cuts = account.power_cuts
    busy_then = f"{busy} met an fsync under way" + (f"; {len(cuts)} were power cuts" * bool(cuts))
    return (f"kill -9       {len(account.faults)} times; {late}; {busy_then}",)


def _mistaken(account: Account) -> Sequence[str]:
    count = losses.mistaken(account)
    return (f"reused ids    {count} not done: a worker took them for others",) if count else ()


def _times(timing: Timing) -> str:
    return (
        f"times         lock {timing.lock_duration} ms, stalled interval "
        f"{timing.stalled_interval} ms{' (shortened)' if timing.shortened else ''}, "
        f"window {timing.window} ms"
    )


def _loss(loss: Loss) -> str:
    entry, kill = loss.entry, loss.kill
    at = datetime.fromtimestamp(entry.acknowledged_at / 1000, UTC).isoformat("T", "milliseconds")
    before = f"{loss.age} ms before kill {kill.round}" if kill else "after the last kill"
    return f"{entry.uuid} acknowledged {at}, {before}"
