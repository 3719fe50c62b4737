"""`verify`: look at a target once, and judge every promise on what was seen."""

from typing import Protocol

from sturdis.core import checks
from sturdis.core.facts import ServerFacts
from sturdis.core.report import Report
from sturdis.core.spec import Spec


class Target(Protocol):
    """Something that runs a Redis and can be looked at."""

    def observe(self) -> ServerFacts:
        """Look once; what could not be seen is said to be unseen."""


def verify(spec: Spec, target: Target) -> Report:
    """Check every promise of `spec` against what runs at `target`.

    Raises:
        TargetError: Nothing that speaks Redis answers there.
        AccessError: It does not let us in.
    """
    return checks.check(spec, target.observe())
