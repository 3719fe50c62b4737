"""What a doctor answers: each thing that is wrong, and the worst of it first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sturdis.core import errors
from sturdis.core.facts import Unseen


class Severity(Enum):
    """How bad it is.

    `CRITICAL`: jobs are refused, lost or not done. `SERIOUS`: they would be after the next restart,
    or will be when it goes on. `MINOR`: neither; it should not stay so.
    """

    CRITICAL = "critical"
    SERIOUS = "serious"
    MINOR = "minor"


RANKS = tuple(Severity)
"""From the worst on."""


@dataclass(frozen=True)
class Diagnosis:
    """One thing that is wrong."""

    id: str
    """A key of docs/doctor.md."""
    severity: Severity
    what: str
    seen: str
    """The evidence, in the words of who saw it."""
    why: str
    """The cause, and what it costs."""
    do: str
    """What to type next."""


@dataclass(frozen=True)
class Diagnoses:
    """All that is wrong with one deployment, as far as it could be seen."""

    target: str
    found: Sequence[Diagnosis]
    unseen: Sequence[Unseen]
    """What could not be looked at, and why."""

    @property
    def exit_status(self) -> int:
        """1 where something is wrong, else 3 where something could not be seen, else 0."""
        if self.found:
            return errors.CHECK_FAILED
        return errors.UNDETERMINED if self.unseen else errors.OK

    @property
    def verdict(self) -> str:
        """The same in a word: `wrong`, `unknown` or `well`."""
        return {errors.CHECK_FAILED: "wrong", errors.UNDETERMINED: "unknown"}.get(
            self.exit_status, "well"
        )

    @property
    def counts(self) -> str:
        """How much there is of each: `2 wrong: 1 critical, 1 minor`."""
        if not self.found:
            return "nothing wrong was seen" if self.unseen else "nothing is wrong"
        tally = Counter(one.severity for one in self.found)
        parts = (f"{tally[rank]} {rank.value}" for rank in RANKS if tally[rank])
        return f"{len(self.found)} wrong: {', '.join(parts)}"


def ranked(found: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    """Give the worst first, each thing once; what weighs the same stays in its order."""
    return tuple(sorted(dict.fromkeys(found), key=lambda one: RANKS.index(one.severity)))
