"""What a reading verb answers: findings, and the one verdict over them."""

from collections import Counter
from collections.abc import Sequence
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
        return {
            Verdict.FAIL: errors.CHECK_FAILED,
            Verdict.UNKNOWN: errors.UNDETERMINED,
        }.get(self.verdict, errors.OK)

    @property
    def counts(self) -> str:
        """How many findings there are of each verdict: `9 checks: 8 pass, 1 fail`."""
        tally = Counter(finding.verdict for finding in self.findings)
        parts = (f"{tally[verdict]} {verdict.value}" for verdict in Verdict if tally[verdict])
        return f"{len(self.findings)} checks: {', '.join(parts)}"
