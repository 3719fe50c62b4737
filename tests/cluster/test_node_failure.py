"""A node that does not report: what `doctor` says of it, refuses, and does on a person's word."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster import deployments
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Machine
from tests.cluster.deployments import POD, Deployed
from tests.cluster.diagnosed import doctor, kubelet, redis, server
from tests.cluster.machine import processes
from tests.cluster.machine.places import LIMITED
from tests.integration.running import error_code

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
UNKNOWN = "--for=condition=Ready=Unknown"
WRITES = 200

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture
def deployed(cluster: Cluster, tmp_path: Path) -> Iterator[Deployed]:
    with deployments.deployed(cluster, tmp_path) as found:
        yield found


def node_of(deployed: Deployed) -> str:
    return str(deployed.get("pod", POD)["spec"]["nodeName"])


def uid_of(deployed: Deployed) -> str:
    return str(deployed.get("pod", POD)["metadata"]["uid"])


def taints(cluster: Cluster, node: str) -> set[str]:
    return {one["key"] for one in cluster.get("node", node)["spec"].get("taints", ())}


def lost(cluster: Cluster, node: str) -> None:
    """Return when the API server knows that a node does not report."""
    cluster.kubectl("wait", f"node/{node}", UNKNOWN, "--timeout=90s")


def test_a_node_that_is_well_or_not_there_or_anothers_cannot_be_declared_off(cluster, deployed):
    here = node_of(deployed)
    for node, told in ((here, "is not off"), ("node9", "no node node9")):
        refused = deployed.sturdis("doctor", "--node-is-off", node, "--yes")
        assert (refused.returncode, error_code(refused)) == (18, "cluster.node")
        assert told in refused.stderr
    assert "did you mean node" in deployed.sturdis("doctor", "--node-is-off", "node9").stderr
    back = deployed.sturdis("doctor", "--node-returned", here)
    assert back.stdout == f"nothing to change: node {here} is not declared off\n"
    assert OUT_OF_SERVICE not in taints(cluster, here)


def test_a_node_whose_kubelet_alone_is_gone_is_not_taken_for_off(cluster, deployed):
    node, before = node_of(deployed), uid_of(deployed)
    with stopped(kubelet(node)):
        lost(cluster, node)
        told = doctor(deployed).find("node.kubelet")
        assert "answers" in told["what"]
        refused = deployed.sturdis("doctor", "--node-is-off", node, "--yes")
        assert (refused.returncode, error_code(refused)) == (18, "cluster.node")
        assert "its server runs" in refused.stderr
    cluster.kubectl("wait", f"node/{node}", "--for=condition=Ready", "--timeout=90s")
    assert uid_of(deployed) == before
    assert OUT_OF_SERVICE not in taints(cluster, node)


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_two_servers_on_one_volume_lose_what_either_acknowledged_and_nobody_guesses(
    cluster: Cluster, deployed: Deployed, machine: Machine, tell: Callable[[str], None]
) -> None:
    """The danger that the word of a person is there for, made on purpose."""
    node, before, old = node_of(deployed), uid_of(deployed), server(deployed)
    machine.cut(node)
    lost(cluster, node)
    refuses_to_guess(deployed, node)
    assert uid_of(deployed) == before
    assert OUT_OF_SERVICE not in taints(cluster, node)

    said = deployed.sturdis("doctor", "--node-is-off", node, "--yes")  # which is not true
    assert said.returncode == 0, said.stdout + said.stderr
    assert node_of(deployed) != node
    assert Path(f"/proc/{old}").exists(), "the server on the node that was cut off runs on"
    two_writers(deployed, old, tell)

    machine.power_on(node)
    processes.wait("the old server ends", lambda: not Path(f"/proc/{old}").exists())
    assert doctor(deployed).find("node.returned")["do"].endswith(f"--node-returned {node}")
    back = deployed.sturdis("doctor", "--node-returned", node)
    assert (back.returncode, OUT_OF_SERVICE in taints(cluster, node)) == (0, False), back.stderr
    assert Path(f"/proc/{server(deployed)}").exists(), "and it is the only one"


def refuses_to_guess(deployed: Deployed, node: str) -> None:
    """What is told of a node that may be off or cut off, and what is not done about it."""
    told = doctor(deployed).find("node.silent")
    assert told["what"] == f"node {node} does not report, and pod {POD} is stuck on it"
    volume = deployed.get("pvc", f"data-{POD}")["spec"]["volumeName"]
    for words in ("not ready since 2", f"volume {volume}"):
        assert words in told["seen"]
    assert "goes on writing" in told["why"]
    for words in ("power", "IPMI", "console", f"--node-is-off {node}", "only cut off"):
        assert words in told["do"]
    unsaid = deployed.sturdis("doctor", "--node-is-off", node, stdin=subprocess.DEVNULL)
    assert (unsaid.returncode, "error[usage.not_agreed]" in unsaid.stderr) == (2, True)
    assert "That it is off only you can tell." in unsaid.stderr
    deployments.grant(deployed.cluster, deployed.namespace, LIMITED, {"pods": ["get"]})
    few = deployed.sturdis("doctor", "--node-is-off", node, "--yes", context=LIMITED)
    assert (few.returncode, error_code(few)) == (18, "cluster.forbidden")


def two_writers(deployed: Deployed, old: int, tell: Callable[[str], None]) -> None:
    """Have both servers acknowledge and fsync writes, and tell what a restart finds of them."""
    by_old = written("old:1", on_node, old)
    by_new = written("new:1", in_pod, deployed)
    rewrite(in_pod, deployed)
    by_old |= written("old:2", on_node, old)
    left = restarted(deployed)
    tell(
        f"two writers, the new one rewrites: of {len(by_old)} writes that the old one "
        f"acknowledged and fsynced {len(by_old - left)} are lost, and {len(by_new - left)} of "
        f"{len(by_new)} of the new one's"
    )
    assert not by_old & left
    by_new |= written("new:2", in_pod, deployed)
    rewrite(on_node, old)
    left = restarted(deployed)
    tell(
        f"two writers, then the old one rewrites: {len(by_new - left)} of {len(by_new)} of the new "
        f"one's are lost, and {len(by_old & left)} of the old one's are back"
    )
    assert by_new - left


def in_pod(deployed: Deployed, *words: str) -> str:
    return deployed.kubectl("exec", POD, "-c", "redis", "--", *words)


def on_node(pid: int, *words: str) -> str:
    """Run a program in the container of a process that the API server does not reach."""
    enter = ("nsenter", "--target", str(pid), "--net", "--mount")
    return subprocess.run([*enter, *words], capture_output=True, text=True, check=True).stdout


def written(prefix: str, run: Callable[..., str], where: object) -> set[str]:
    """Give the keys that were written one by one, each acknowledged, all on the disk."""
    names = [f"{prefix}:{number}" for number in range(WRITES)]
    lines = f"for i in $(seq 0 {WRITES - 1}); do echo set {prefix}:$i x; done | redis-cli"
    assert run(where, "sh", "-c", lines).split() == ["OK"] * WRITES
    assert run(where, "redis-cli", "waitaof", "1", "0", "10000").startswith("1")
    return set(names)


def rewrite(run: Callable[..., str], where: object) -> None:
    over = "redis-cli info persistence | grep -q '^aof_rewrite_in_progress:0'"
    run(where, "sh", "-c", f"redis-cli bgrewriteaof; until {over}; do :; done")
    assert "aof_last_bgrewrite_status:ok" in run(where, "redis-cli", "info", "persistence")


def restarted(deployed: Deployed) -> set[str]:
    """Restart the server that clients reach, and give the keys that it has."""
    deployed.kubectl("delete", "pod", POD)
    deployed.cluster.wait_ready(deployed.namespace, POD)
    return set(redis(deployed, "--scan").split())
