"""Load processes of both languages, and the ledger of what they did."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sturdis.adapters.drill import ledger_log, load_process, survey
from sturdis.adapters.drill.load_process import LoadProcess
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.drill import ledger
from sturdis.core.drill.ledger import Account
from sturdis.core.drill.load import LoadPlan
from tests.integration.servers import LOOPBACK, Server, wait_until
from tests.tiers import ROOT

MODULES = ROOT / "examples/bullmq"
QUEUES = ("one", "two")

PYTHON = pytest.param("python", id="python")
NODE = pytest.param("node", id="node", marks=pytest.mark.tier("node"))


def command_of(language: str) -> Sequence[str]:
    return load_process.PYTHON if language == "python" else load_process.node(MODULES)


def plan(server: Server | Address, folder: Path, language: str, **rest: Any) -> LoadPlan:
    address = server if isinstance(server, Address) else Address(LOOPBACK, server.port)
    writer = rest.pop("writer", language)
    return LoadPlan(writer, str(folder), address, QUEUES, **rest)


@contextlib.contextmanager
def load(
    server: Server | Address, folder: Path, language: str, **rest: Any
) -> Iterator[LoadProcess]:
    """Run a load with this plan until the block ends."""
    with LoadProcess(command_of(language), plan(server, folder, language, **rest)) as process:
        yield process


def events_in(folder: Path, kind: type) -> int:
    return sum(isinstance(event, kind) for event in ledger_log.read(folder).events)


def wait_for_events(folder: Path, kind: type, count: int) -> None:
    wait_until(lambda: events_in(folder, kind) >= count, f"{count} {kind.__name__}", seconds=20)


def drain(address: Address) -> None:
    """Return when no job of the load is still to be done."""
    with Link(address) as link:
        wait_until(
            lambda: survey.pending(link, "bull", QUEUES) == 0, "the queues are empty", seconds=30
        )


def account(address: Address, folder: Path) -> Account:
    """Account for all jobs, as they are now."""
    return ledger.account(ledger_log.read(folder).events, survey.take(address, "bull", QUEUES))
