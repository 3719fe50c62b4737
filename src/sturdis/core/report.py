"""What a reading verb answers: findings, and the one verdict over them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from sturdis.core import errors


class Verdict(Enum):
    """What a check came to.

    `UNKNOWN`: it could not be determined, which is not a pass. `NOT_APPLICABLE`: there is nothing
    to judge, or it cannot be seen from here whoever asks; docs/adr/0027.
    """

    PASS = "pass"  # noqa: S105  not a password
    WARN = "warn"
    UNKNOWN = "unknown"
    FAIL = "fail"
    NOT_APPLICABLE = "n/a"


SEVERITY = (Verdict.NOT_APPLICABLE, Verdict.PASS, Verdict.WARN, Verdict.UNKNOWN, Verdict.FAIL)
"""Verdicts from the one that weighs nothing to the worst."""


def exit_status(verdicts: Iterable[Verdict]) -> int:
    """Give 1 where one is fail, else 3 where one is unknown, else 0."""
    found = frozenset(verdicts)
    if Verdict.FAIL in found:
        return errors.CHECK_FAILED
    return errors.UNDETERMINED if Verdict.UNKNOWN in found else errors.OK


def tally(verdicts: Iterable[Verdict]) -> str:
    """Count verdicts: `8 pass, 1 fail`."""
    found = Counter(verdicts)
    return ", ".join(f"{found[one]} {one.value}" for one in Verdict if found[one])


@dataclass(frozen=True)
class Finding:
    """One check's answer."""

    check: str
    """The check's id, a key of docs/checks.md."""
    promise: str
    """What should hold."""
    seen: str
    """The evidence."""
    verdict: Verdict
    why: str
    """Why it matters."""
    do: str
    """What to type; empty when there is nothing to mend."""


@dataclass(frozen=True)
class Report:
    """All findings on one target."""

    target: str
    findings: Sequence[Finding]

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings: fail before unknown before warn before pass."""
        return max((finding.verdict for finding in self.findings), key=SEVERITY.index)

    @property
    def exit_status(self) -> int:
        """1 when a check failed, else 3 when one could not be determined, else 0."""
        return exit_status([self.verdict])

    @property
    def counts(self) -> str:
        """How many findings there are of each verdict: `9 checks: 8 pass, 1 fail`."""
        return f"{len(self.findings)} checks: {tally(one.verdict for one in self.findings)}"
