"""The verdict over a ledger: was anything lost that may not be, by the times in the ledger itself.

A kill of the server's process loses nothing that it had written to the file. What it had not is
lost: a server whose fsync is under way holds writes back, for up to 2 s, and acknowledges them. So
a loss is excused only before a kill that met such a server, and only within the window. A power cut
loses what no fsync has covered: excused is what was acknowledged after the last one began.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sturdis.core.drill.events import Destroyed, Killed, PowerCut
from sturdis.core.drill.ledger import Account, Entry, Fate
from sturdis.core.report import SEVERITY, Verdict

LEAST_WINDOW = 2000
"""Least window in milliseconds: servers hold writes back for 2 s while an fsync is under way."""

FSYNC_EVERY = 1000
"""`everysec`: what an fsync does not cover is at most this much older, in milliseconds."""

BEGINS_WITHIN = 200
"""From the server's wish for an fsync until its thread begins it, in milliseconds. What it
acknowledges meanwhile it holds back, though the fsync has not begun."""

STALLED_CHECKS = 2
"""Checks until a job without a lock is given to a worker again: one marks it, the next moves it."""


REUSED = "to a worker that went on with a job of before a rollback, which had the same id"
"""What BullMQ does with ids of its own: it gives them again, and its workers know jobs by them."""


@dataclass(frozen=True)
class Timing:
    """The times that workers ran with, in milliseconds."""

    lock_duration: int = 30_000
    """BullMQ's default."""
    stalled_interval: int = 30_000
    """BullMQ's default."""
    longest_fsync: int | None = None
    """The longest fsync of the server's file during the drill; None: it was not measured."""

    @property
    def settling(self) -> int:
        """How long after the last fault a job may still be on its way: no verdict before."""
        return self.lock_duration + STALLED_CHECKS * self.stalled_interval

    @property
    def window(self) -> int:
        """The age of the oldest write that a kill may cost where an fsync was under way."""
        return max(LEAST_WINDOW, (self.longest_fsync or 0) + FSYNC_EVERY)

    @property
    def shortened(self) -> bool:
        """Whether the times are shorter than BullMQ's own."""
        return self.settling < USUAL.settling


USUAL = Timing()
"""The times of workers that set none."""


@dataclass(frozen=True)
class Judgement:
    """The verdict, and every reason for it, the worst first."""

    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Loss:
    """A lost job, and the kill that cost it if any did: the first after it was last seen."""

    entry: Entry
    kill: Killed | None
    destroyed: Destroyed | None = None
    """What destroyed the bytes that it was in, where anything did."""
    cut: PowerCut | None = None
    """What the kill left of the files, where it was a power cut."""

    @property
    def age(self) -> int:
        """Milliseconds from the acknowledgement to the kill; 0 without one."""
        return max(0, self.kill.at - self.entry.acknowledged_at) if self.kill else 0


def losses(account: Account) -> tuple[Loss, ...]:
    """Give every lost job with the kill that may have cost it."""
    return tuple(_loss(entry, account) for entry in account.of(Fate.LOST))


def _loss(entry: Entry, account: Account) -> Loss:
    kill = _cut_of(entry, account) or _kill_of(entry, account)
    cut = account.power_cuts.get(kill.round) if kill else None
    return Loss(entry, kill, _destroyer_of(entry, account), cut)


def _cut_of(entry: Entry, account: Account) -> Killed | None:
    """Give the first kill that is known to have cost the job, whenever a worker still started it.

    A worker goes on with what it has in its own memory.
    """
    cuts = account.power_cuts
    for kill in account.faults:
        cut = cuts.get(kill.round)
        if entry.uuid in kill.unwritten or (cut and entry.uuid in cut.uuids):
            return kill
    return None


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
        served = account.served.get(kill.round)
        if served is None or entry.seen_at < served:
            return kill
    return None


def judge(account: Account, surveyed_at: int, timing: Timing) -> Judgement:
    """Judge the account of a drill whose jobs were surveyed at `surveyed_at` (ms since 1970).

    Unknown, which is not a pass: nothing was acknowledged, the survey came too early, jobs are
    still pending, or the evidence that would excuse a loss is missing.
    """
    found = findings(account, surveyed_at, timing)
    return Judgement(found[0][0], tuple(reason for _verdict, reason in found))


Found = list[tuple[Verdict, str]]


def findings(account: Account, surveyed_at: int, timing: Timing) -> Found:
    """Give each reason with its own verdict, the worst first; the first decides."""
    found = [
        *_too_early(account, surveyed_at, timing),
        *_lost(account, timing),
        *_stuck(account),
        *_out_of_order(account),
        *_gaps(account),
    ]
    all_done = (Verdict.PASS, f"all {len(account.entries)} acknowledged jobs were processed")
    return worst_first(found) or [all_done]


def worst_first(found: Iterable[tuple[Verdict, str]]) -> Found:
    """Put the worst verdict first, and leave the order of its like."""
    return sorted(found, key=lambda one: SEVERITY.index(one[0]), reverse=True)


def settled_at(account: Account, timing: Timing) -> int | None:
    """Give when a verdict may be asked for (ms since 1970); None: a fault has not ended."""
    if any(fault.round not in account.served for fault in account.faults):
        return None
    ended = (account.served[fault.round] for fault in account.faults)
    return max([account.last_due, *(at + timing.settling for at in ended)])


def _too_early(account: Account, surveyed_at: int, timing: Timing) -> Found:
    settled = settled_at(account, timing)
    if settled is None:
        return [(Verdict.UNKNOWN, "the server was not seen to serve again after a fault")]
    if surveyed_at < settled:
        early = (settled - surveyed_at) / 1000
        return [(Verdict.UNKNOWN, f"asked {early:.1f} s too early: jobs may be on their way")]
    return []


def _lost(account: Account, timing: Timing) -> Found:
    tally = Counter(judge_loss(loss, timing) for loss in losses(account))
    return [
        (verdict, f"{count} acknowledged {'jobs' if count > 1 else 'job'} LOST {how}")
        for (verdict, how), count in tally.items()
    ]


def judge_loss(loss: Loss, timing: Timing) -> tuple[Verdict, str]:
    """Say whether evidence excuses one loss, and what cost it: pass means excused."""
    if loss.destroyed:
        what = "all the data" if loss.destroyed.everything else "the bytes"
        return Verdict.PASS, f"with {what} destroyed in round {loss.destroyed.round}"
    if loss.kill is None and loss.entry.reuses_id:
        return Verdict.PASS, REUSED
    if loss.kill is None:
        return Verdict.FAIL, "and no kill came after"
    if loss.cut is not None:
        return _judge_by_cut(loss, loss.kill, loss.cut, timing)
    return _judge_by_kill(loss, loss.kill, timing)


def _judge_by_kill(loss: Loss, kill: Killed, timing: Timing) -> tuple[Verdict, str]:
    window = f"{timing.window / 1000:g} s"
    steady = kill.delayed_fsyncs == 0 and kill.fsync_pending is False
    if steady:
        return Verdict.FAIL, f"before kill {kill.round}, although no fsync was late or under way"
    if loss.age > timing.window:
        unmeasured = timing.longest_fsync is None and kill.delayed_fsyncs
        if unmeasured:
            return Verdict.UNKNOWN, f"more than {window} before a kill; fsyncs were not measured"
        return Verdict.FAIL, f"more than {window} before kill {kill.round}"
    if kill.delayed_fsyncs or kill.fsync_pending:
        return Verdict.PASS, f"within {window} of kill {kill.round}, which met a slow fsync"
    return Verdict.UNKNOWN, f"before kill {kill.round}; whether fsyncs were late was not seen"


def _judge_by_cut(loss: Loss, kill: Killed, cut: PowerCut, timing: Timing) -> tuple[Verdict, str]:
    window = max(LEAST_WINDOW, cut.longest_fsync + FSYNC_EVERY)
    at = loss.entry.acknowledged_at
    held_back = loss.entry.uuid in kill.unwritten  # in no file, whatever an fsync covered
    if not cut.lost and not held_back:
        return _judge_by_kill(loss, kill, timing)
    covered = cut.synced_at is not None and at < cut.synced_at - BEGINS_WITHIN
    if covered and not held_back:
        return Verdict.FAIL, f"before power cut {cut.round}, although an fsync covered it"
    if loss.age > window:
        return Verdict.FAIL, f"more than {window / 1000:g} s before power cut {cut.round}"
    return Verdict.PASS, f"within {window / 1000:g} s of power cut {cut.round}, not fsynced"


def _stuck(account: Account) -> Found:
    fates = account.fates
    found: Found = []
    if count := fates[Fate.ORPHAN]:
        found.append((Verdict.FAIL, f"{count} acknowledged orphan hash: never given to a worker"))
    if count := fates[Fate.FAILED]:
        found.append((Verdict.FAIL, f"{count} acknowledged failed, and not on purpose"))
    if count := fates[Fate.STALLED]:
        found.append((Verdict.PASS, f"{count} acknowledged failed as stalled: kept in `failed`"))
    if count := fates[Fate.HELD]:
        kept = "kept in `waiting-children`"
        found.append((Verdict.PASS, f"{count} acknowledged held by a failed child: {kept}"))
    if count := fates[Fate.PENDING]:
        found.append((Verdict.UNKNOWN, f"{count} acknowledged still pending"))
    return found


def _out_of_order(account: Account) -> Found:
    found: Found = []
    if account.parents_early:
        early = len(account.parents_early)
        found.append((Verdict.FAIL, f"{early} parents started before their children were done"))
    if account.delayed_early:
        early = len(account.delayed_early)
        found.append((Verdict.FAIL, f"{early} delayed jobs started before they were due"))
    return found


def _gaps(account: Account) -> Found:
    found: Found = []
    if not account.entries:
        found.append((Verdict.UNKNOWN, "no job was acknowledged"))
    untold = account.of(Fate.UNTOLD)
    if count := sum(entry.reuses_id for entry in untold):
        found.append((Verdict.PASS, f"{count} completed in Redis and not done, {REUSED}"))
    if count := sum(not entry.reuses_id for entry in untold):
        found.append((Verdict.UNKNOWN, f"{count} completed in Redis without a done in the log"))
    if account.strangers:
        found.append((Verdict.UNKNOWN, f"{len(account.strangers)} jobs without an intent"))
    return found
