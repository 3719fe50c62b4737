"""What faults cost is printed at the end of the run."""

from collections.abc import Callable

import pytest

TOLD: list[str] = []
LEGEND = (
    "downtime: the longest time without an acknowledged add, clients' reconnecting included; "
    "workers' locks last 2 s or less here, BullMQ's own 30 s, so that outages above that redeliver"
)


@pytest.fixture
def tell() -> Callable[[str], None]:
    """Give a function that keeps a line for the closing summary."""
    return TOLD.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TOLD:
        terminalreporter.section("faults in a cluster")
        for line in (*TOLD, LEGEND):
            terminalreporter.line(line)
