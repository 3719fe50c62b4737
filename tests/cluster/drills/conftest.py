"""What faults cost is printed at the end of the run."""

import uuid
from collections.abc import Callable, Iterator

import pytest

from tests.cluster.clusters import Cluster
from tests.cluster.drills.load_pods import LoadPods

TOLD: list[str] = []
LEGEND = (
    "downtime: the longest time without an acknowledged add, clients' reconnecting included; "
    "workers' locks last 2 s here, BullMQ's own 30 s, so that outages above that redeliver"
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


@pytest.fixture(scope="session")
def clients(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadPods]:
    """Give pods of load, in a namespace of their own; they serve one test after the other."""
    folder = tmp_path_factory.mktemp("ledgers")
    with (
        cluster.namespace(f"sturdis-{uuid.uuid4().hex[:8]}") as namespace,
        LoadPods(cluster, namespace, folder) as pods,
    ):
        yield pods
