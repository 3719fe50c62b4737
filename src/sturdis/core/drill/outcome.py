"""What one run of a drill came to: the ledger and the figures, joined to one verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sturdis.core.drill import ledger, ledger_figures, losses, observed, record, verdict
from sturdis.core.drill.events import Event, Phase, Survey
from sturdis.core.drill.ledger import Account
from sturdis.core.drill.ledger_figures import LOST_TO_REUSED_IDS
from sturdis.core.drill.observed import Figures
from sturdis.core.drill.run import Run
from sturdis.core.drill.scenario import Expected, Loss
from sturdis.core.drill.verdict import Found, Timing
from sturdis.core.report import Verdict

LONGEST_FSYNC = "longest_fsync"
"""Figure of faults that slow fsyncs down: the longest that was seen, in seconds."""


@dataclass(frozen=True)
class Seen:
    """What the loads' logs tell: adds acknowledged, and jobs done."""

    acknowledged: int = 0
    processed: int = 0

    def covers(self, wanted: "Seen") -> bool:
        """Tell whether it is at least `wanted`."""
        return self.acknowledged >= wanted.acknowledged and self.processed >= wanted.processed


@dataclass(frozen=True)
class Ran:
    """How a run went."""

    survey: Survey | None
    """None: there was no load, or the run ended before its jobs were surveyed."""
    figures: Figures = field(default_factory=dict)
    found: tuple[tuple[Verdict, str], ...] = ()
    """What ended it early."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    found: tuple[tuple[Verdict, str], ...]
    """Each reason with its own verdict, the worst first; the first decides."""
    figures: Figures = field(default_factory=dict)
    account: Account | None = None
    """None: the drill has no load, or ended before its jobs were surveyed."""
    timing: Timing = verdict.USUAL
    phases: tuple[Phase, ...] = ()
    torn: tuple[str, ...] = ()
    """Logs whose last line is incomplete: their writers were killed."""

    @property
    def verdict(self) -> Verdict:
        """Pass, fail or unknown."""
        return self.found[0][0]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, the worst first."""
        return tuple(reason for _verdict, reason in self.found)

    def lines(self) -> list[str]:
        """Give the account and the reasons as people read them."""
        told = record.lines(self.account, self.timing) if self.account else []
        return [*told, *(f"{verdict.value:<12}  {reason}" for verdict, reason in self.found)]


def untouched(reasons: Iterable[str]) -> Outcome:
    """Give the outcome of a drill that was not run, for these reasons."""
    return Outcome(tuple((Verdict.UNKNOWN, reason) for reason in reasons))


def conclude(run: Run, events: Sequence[Event], torn: Iterable[str], ran: Ran) -> Outcome:
    """Join what the run found, the ledger over its log, and its figures to one outcome."""
    timing = run.timing(ran.figures.get(LONGEST_FSYNC))
    account = ledger.account(events, ran.survey) if ran.survey else None
    figures = {**ran.figures, **(ledger_figures.of(account, events) if account else {})}
    found: Found = list(ran.found)
    if account and ran.survey:
        found += verdict.findings(account, ran.survey.at, timing)
        found += _unexpected(account, run.scenario.expect, found)
    if not ran.found:  # of a run that ended early little was seen
        found += observed.judge(figures, run.scenario.expect.figures)
    if not found:
        found = [(Verdict.UNKNOWN, "the drill expects nothing, and saw no job")]
    phases = sorted((one for one in events if isinstance(one, Phase)), key=lambda one: one.at)
    return Outcome(
        tuple(verdict.worst_first(found)), figures, account, timing, tuple(phases),
        tuple(torn),
    )  # fmt: skip


def _unexpected(account: Account, expected: Expected, found: Found) -> Found:
    """Find losses that evidence excuses, where the drill allows none of their kind."""
    if any(verdict is Verdict.FAIL for verdict, _reason in found):
        return []  # it is told already
    lost = losses.losses(account)
    count = sum(not (loss.mistaken or may_be_lost(loss, expected.lost)) for loss in lost)
    unexpected: Found = []
    if count:
        what = f"{count} acknowledged {'job' if count == 1 else 'jobs'} LOST"
        unexpected.append((Verdict.FAIL, f"{what}; allowed is: {expected.lost.value}"))
    mistaken = losses.mistaken(account)
    if mistaken and LOST_TO_REUSED_IDS not in expected.figures:
        unexpected.append((Verdict.FAIL, f"{LOST_TO_REUSED_IDS} {mistaken}; expected 0"))
    return unexpected


def may_be_lost(loss: losses.Loss, allowed: Loss) -> bool:
    """Tell whether the drill allows a loss of this kind, once evidence excuses it."""
    if allowed is Loss.ALL:
        return True
    if loss.destroyed is None:
        return allowed is not Loss.NONE
    return allowed is Loss.DAMAGE and not loss.destroyed.everything
