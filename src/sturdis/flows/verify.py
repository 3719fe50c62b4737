"""`verify`: look at a target once, and judge every promise on what was seen."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from sturdis.core import checks, restarting
from sturdis.core.facts import NotVisible, Refused, Restarted, ServerFacts, Unseen
from sturdis.core.report import Report
from sturdis.core.spec import Spec


class Restart(Protocol):
    """The ability to restart a target's server; some targets have it."""

    def restart(self) -> Refused | Unseen | None:
        """Have the server write and end, so that its supervisor starts it again.

        Returns:
            None: it ends. Otherwise why it goes on.
        """


class Target(Protocol):
    """Something that runs a Redis and can be looked at."""

    def observe(self) -> ServerFacts:
        """Look once; what could not be seen is said to be unseen."""

    def survive(
        self, restart: Callable[[], Refused | Unseen | None]
    ) -> Restarted | Refused | Unseen:
        """Restart with a marker in the server, and look for it afterwards."""


def verify(
    spec: Spec, target: Target, restart: Restart | NotVisible | Unseen | None = None
) -> Report:
    """Check every promise of `spec` against what runs at `target`.

    Args:
        spec: What is promised.
        target: What is looked at.
        restart: How to restart it, or why that cannot be; None: nobody asked for it.

    Raises:
        TargetError: Nothing that speaks Redis answers there.
        AccessError: It does not let us in.
    """
    facts = target.observe()
    report = checks.check(spec, facts)
    if restart is None:
        return report
    return checks.check(spec, replace(facts, restarted=_restarted(target, restart, report)))


def _restarted(
    target: Target, restart: Restart | NotVisible | Unseen, report: Report
) -> Restarted | Refused | NotVisible | Unseen:
    if isinstance(restart, NotVisible | Unseen):
        return restart
    if reason := restarting.stands_against(report):
        return Unseen(reason)
    return target.survive(restart.restart)
