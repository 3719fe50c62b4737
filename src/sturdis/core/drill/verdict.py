"""The verdict over a ledger: was anything lost that may not be, by the times in the ledger itself.

A kill of the server's process loses nothing that it had written to the file. What it had not is
lost: a server whose fsync is under way holds writes back, for up to 2 s, and acknowledges them. So
a loss is excused only within the window before a kill, and only where evidence names the job: files
that lacked it right after the kill, bytes that a power cut took. Where no file could be read it is
excused by an fsync that was under way or late at the kill.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sturdis.core.drill.events import Killed
from sturdis.core.drill.ledger import Account, Fate
from sturdis.core.drill.losses import Loss, losses
from sturdis.core.report import SEVERITY, Verdict

LEAST_WINDOW = 2000
"""Least window in milliseconds: servers hold writes back for 2 s while an fsync is under way."""

FSYNC_EVERY = 1000
"""`everysec`: what an fsync does not cover is at most this much older, in milliseconds."""

STALLED_CHECKS = 2
"""Checks until a job without a lock is given to a worker again: one marks it, the next moves it."""


REUSED = "to a worker that went on with a job of before a rollback, which had the same id"
"""What BullMQ does with ids of its own: it gives them again, and its workers know jobs by them."""

EITHER_SIDE = "and it cannot be told on which side"


def window_of(longest_fsync: int) -> int:
    """Give the age of the oldest write that may be lost, in milliseconds."""
    return max(LEAST_WINDOW, longest_fsync + FSYNC_EVERY)


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
        return window_of(self.longest_fsync or 0)

    @property
    def shortened(self) -> bool:
        """Whether the times are shorter than BullMQ's own."""
        return self.settling < USUAL.settling


USUAL = Timing()
"""The times of workers that set none."""


Found = list[tuple[Verdict, str]]


def findings(account: Account, surveyed_at: int, timing: Timing) -> Found:
    """Judge the account of a drill whose jobs were surveyed at `surveyed_at` (ms since 1970).

    Each reason has its own verdict, the worst first; the first decides. Unknown, which is not a
    pass: nothing was acknowledged, the survey came too early, jobs are still pending, or the
    evidence that would excuse a loss is missing.
    """
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
    if loss.mistaken:
        return Verdict.PASS, REUSED
    if loss.kill is None:
        return Verdict.FAIL, "and no kill came after"
    if loss.named:
        return _judge_named(loss, loss.kill, timing)
    if loss.kill.files_read or (loss.cut and not loss.late):
        return Verdict.FAIL, f"before {_what(loss, loss.kill)}, although its files had it then"
    return _judge_by_fsyncs(loss, loss.kill, timing)


def _judge_named(loss: Loss, kill: Killed, timing: Timing) -> tuple[Verdict, str]:
    """Judge a job that is named in what was in no file, or in the bytes that are gone."""
    cut, what = loss.cut, _what(loss, kill)
    oldest = window_of(cut.longest_fsync) if cut else timing.window
    if loss.late:
        return Verdict.UNKNOWN, f"{EITHER_SIDE} of {what} the reply was sent"
    if loss.age > oldest:
        return Verdict.FAIL, f"more than {oldest / 1000:g} s before {what}"
    where = "not fsynced" if cut else "in no file yet"
    return Verdict.PASS, f"within {oldest / 1000:g} s of {what}, {where}"


def _what(loss: Loss, kill: Killed) -> str:
    return f"power cut {kill.round}" if loss.cut else f"kill {kill.round}"


def _judge_by_fsyncs(loss: Loss, kill: Killed, timing: Timing) -> tuple[Verdict, str]:
    """Judge before a kill whose files nobody read: by the window, where an fsync was in the way.

    That some fsync was late in the server's life is no evidence: it has written since.
    """
    if kill.fsync_pending or kill.late_fsyncs:
        return _judge_by_age(loss, kill, timing)
    if loss.late:
        return Verdict.UNKNOWN, f"{EITHER_SIDE} of kill {kill.round} the reply was sent"
    if kill.fsync_pending is False:
        return Verdict.FAIL, f"before kill {kill.round}, although no fsync was late or under way"
    if loss.age > timing.window:
        return Verdict.FAIL, f"more than {timing.window / 1000:g} s before kill {kill.round}"
    return Verdict.UNKNOWN, f"before kill {kill.round}; whether fsyncs were late was not seen"


def _judge_by_age(loss: Loss, kill: Killed, timing: Timing) -> tuple[Verdict, str]:
    window = f"{timing.window / 1000:g} s"
    if loss.age <= timing.window:
        return Verdict.PASS, f"within {window} of kill {kill.round}, which met a slow fsync"
    if timing.longest_fsync is None and kill.delayed_fsyncs:
        return Verdict.UNKNOWN, f"more than {window} before a kill; fsyncs were not measured"
    return Verdict.FAIL, f"more than {window} before kill {kill.round}"


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
    if count := sum(bool(entry.taken_for) for entry in untold):
        found.append((Verdict.PASS, f"{count} completed in Redis and not done, {REUSED}"))
    if count := sum(not entry.taken_for for entry in untold):
        found.append((Verdict.UNKNOWN, f"{count} completed in Redis without a done in the log"))
    if account.strangers:
        found.append((Verdict.UNKNOWN, f"{len(account.strangers)} jobs without an intent"))
    return found
