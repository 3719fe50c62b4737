"""Tiers, and where tests keep what a user keeps at home."""

import os
from collections import Counter

import pytest

from tests import tiers

REQUIRED = os.environ.get("STURDIS_REQUIRE_TIERS") == "1"

_left_out: Counter[str] = Counter()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("tier"):
        (name,) = mark.args
        if reason := tiers.missing(name):
            _left_out[name] += 1
            if REQUIRED:
                pytest.fail(f"the tier {name} is required here: {reason}", pytrace=False)
            pytest.skip(f"{name}: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("tiers")
    for name, (meaning, _check) in tiers.TIERS.items():
        if name in _left_out:
            reason = tiers.missing(name)
            terminalreporter.line(f"did not run  {name}: {_left_out[name]} tests; {reason}")
        elif not tiers.missing(name):
            terminalreporter.line(f"there        {name}: {meaning}")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """Give every test a home of its own: nothing of the user's is read or written."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "STURDIS_TARGET", "REDISCLI_AUTH", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    return home
