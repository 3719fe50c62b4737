"""What drills found is printed at the end of the run: a pass without its figures says little."""

from collections.abc import Callable, Iterable

import pytest

TOLD: list[str] = []


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[Iterable[str]], None]:
    """Give a function that keeps lines for the closing summary, below the test's name."""

    def keep(lines: Iterable[str]) -> None:
        TOLD.extend([request.node.name, *(f"  {line}" for line in lines)])

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TOLD:
        terminalreporter.section("drills")
        for line in TOLD:
            terminalreporter.line(line)
