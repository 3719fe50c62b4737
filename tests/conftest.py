"""Tiers, and where tests keep what a user keeps at home."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

import hypothesis
import pytest

from tests import tiers

# A shell that runs the tests in the background has them ignore Ctrl-C, and nohup the end of its
# terminal: so would all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# How long an example takes says something of the machine; benchmarks are for that.
hypothesis.settings.register_profile("sturdis", deadline=None)
hypothesis.settings.load_profile("sturdis")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("tier"):
        (name,) = mark.args
        if reason := tiers.left_out(name):
            pytest.skip(f"{name}: {reason}")


TOLD: list[str] = []
"""What tests found is printed at the end of the run: a pass without its figures says little."""


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[Iterable[str]], None]:
    """Give a function that keeps lines for the closing summary, below the test's name."""

    def keep(lines: Iterable[str]) -> None:
        TOLD.extend([request.node.name, *(f"  {line}" for line in lines)])

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TOLD:
        terminalreporter.section("found")
        for line in TOLD:
            terminalreporter.line(line)
    terminalreporter.section("tiers")
    for name, (meaning, _check) in tiers.TIERS.items():
        if reason := tiers.missing(name):
            count = tiers.LEFT_OUT[name]
            terminalreporter.line(f"did not run  {name} ({count} left out): {reason}")
        else:
            terminalreporter.line(f"there        {name}: {meaning}")


USERS_OWN = (
    "ARGS",
    "MAKEFLAGS",
    "MAKELEVEL",
    "NO_COLOR",
    "NO_PROXY",
    "REDISCLI_AUTH",
    "REDIS_URL",
    "STURDIS_DRILL_HOOKS",
    "STURDIS_SPEC",
    "STURDIS_TARGET",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "http_proxy",
)


@pytest.fixture(autouse=True, scope="session")
def common_home(tmp_path_factory: pytest.TempPathFactory):
    """Keep what outlives one test away from the user's own home."""
    with environment_at(tmp_path_factory.mktemp("common-home")):
        yield


@pytest.fixture(autouse=True)
def home(common_home: None, tmp_path_factory: pytest.TempPathFactory):
    """Give every test a home of its own: nothing of the user's is read or written."""
    home = tmp_path_factory.mktemp("home")
    with environment_at(home):
        yield home


@contextlib.contextmanager
def environment_at(home: Path):
    before = dict(os.environ)
    for name in USERS_OWN:
        os.environ.pop(name, None)
    os.environ["HOME"] = str(home)
    folder = Path.cwd()
    os.chdir(home)  # no sturdis.yaml of the user's is read
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)
