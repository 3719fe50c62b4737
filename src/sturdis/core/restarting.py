"""Restarting a server to see whether it comes back with its data: the plan, and when not to."""

from dataclasses import dataclass

from sturdis.core.report import Report, Verdict

NEEDED = ("ping", "roundtrip", "persistence.appendonly", "persistence.write")
"""Checks that must pass first: without one of them a restart can cost what is in memory alone."""

SPARE_SECONDS = 60
"""How much longer the marker lives than the wait for the server, in seconds."""


@dataclass(frozen=True)
class RestartPlan:
    """What a restart does, as it is shown before it is agreed to."""

    address: str
    seconds: float
    """Longest wait until the server serves again."""
    how: str = "end the server with SHUTDOWN; the running sturdis up starts it again"
    """What ends it, and what starts it again."""

    def __str__(self) -> str:
        return (
            f"verify --restart does this to {self.address}:\n"
            "  1. write a marker below sturdis:verify\n"
            f"  2. {self.how},\n"
            "     and clients wait or fail meanwhile\n"
            f"  3. wait up to {self.seconds:.0f} s until it serves, read the marker, and remove it"
        )


def stands_against(report: Report) -> str:
    """Say what stands against a restart; empty: nothing does."""
    broken = [
        one.check
        for one in report.findings
        if one.check in NEEDED and one.verdict is not Verdict.PASS
    ]
    if not broken:
        return ""
    return f"not restarted: {', '.join(broken)} did not pass, so it could cost data"
