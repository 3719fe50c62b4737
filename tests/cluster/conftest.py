"""The running cluster, its nodes, and namespaces that go away again: docs/cluster-tier.md."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster import clusters
from tests.cluster.clusters import Cluster
from tests.cluster.machine import cluster as machines
from tests.cluster.machine.places import NODES, Node

HERE = Path(__file__).parent
TEST_SECONDS = 600
TOLD: list[str] = []


def pytest_sessionstart() -> None:
    # Who asks for these tests alone is not told that all is well where none ran.
    if os.environ.get(clusters.ASKED_FOR) == "1" and (reason := clusters.missing()):
        pytest.exit(f"no cluster to test on: {reason}", returncode=2)


def pytest_report_header() -> str:
    found = clusters.find()
    where = found if isinstance(found, str) else f"context {found.context} of {found.kubeconfig}"
    return f"cluster: {where}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.tier("cluster"))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="session")
def cluster(common_home: None) -> Cluster:
    """Give the cluster: our own, or the one that KUBECONFIG names."""
    found = clusters.find()
    assert isinstance(found, Cluster), found
    # For the commands that tests run; both homes of the tests hand it on.
    os.environ["KUBECONFIG"] = str(found.kubeconfig)
    return found


@pytest.fixture
def tell() -> Callable[[str], None]:
    """Give a function that keeps a figure for the closing summary."""
    return TOLD.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TOLD:
        terminalreporter.section("measured in a cluster")
        for line in TOLD:
            terminalreporter.line(line)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """Give a namespace of the test's own, of any name."""
    with cluster.namespace(f"sturdis-{uuid.uuid4().hex[:8]}") as name:
        yield name


@pytest.fixture
def machine(cluster: Cluster) -> Iterator["Machine"]:
    """Give the nodes to crash and to cut off; all are back when the test ends."""
    if not cluster.node_faults:
        pytest.skip(f"the nodes of {cluster.context} are not ours to crash")
    machine = Machine()
    yield machine
    for node in list(machine.disturbed):
        machine.bring_back(node.name)


class Machine:
    """Node faults. Each takes a node's name and returns when it has happened."""

    def __init__(self) -> None:
        self.disturbed: list[Node] = []

    def watch(self, name: str) -> None:
        """Let others disturb the node; it is brought back all the same."""
        self._disturb(name)

    def crash(self, name: str) -> None:
        """Power off."""
        machines.fail(self._disturb(name))

    def cut(self, name: str) -> None:
        """Take the network away; what runs on the node runs on."""
        machines.cut(self._disturb(name))

    def power_on(self, name: str) -> None:
        """Power on, or network back; its taint of a node that is off stays."""
        machines.power_on(self._disturb(name))

    def bring_back(self, name: str) -> None:
        """Power on, or network back; returns when the node is ready."""
        node = self._disturb(name)
        machines.bring_back(node)
        self.disturbed = [one for one in self.disturbed if one != node]

    def _disturb(self, name: str) -> Node:
        (node,) = (node for node in NODES if node.name == name)
        self.disturbed.append(node)
        return node
