"""A node that loses its power under BullMQ's clients; and a drill that is killed just then."""

import json
import os
import signal
import subprocess

import pytest

from tests.cluster.drills.faulty import NAME, NAMESPACE, Faulty, faulty, marked_node
from tests.cluster.drills.scenes import drill, left, passes, typed
from tests.integration.running import STURDIS, error_code, sturdis

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


@pytest.fixture(scope="module")
def redis(cluster, tmp_path_factory):
    """Give a deployment whose node loses its power twice."""
    with faulty(cluster, tmp_path_factory.mktemp("crashes")) as found:
        yield found


def test_a_crashed_node_costs_no_acknowledged_job(redis, machine, tell):
    before = redis.uid()
    with marked_node(redis) as node:
        machine.watch(node)
        drilled = drill(redis, "node-crash")
    passes(drilled)
    now_on = redis.deployed.get("pod", NAME)["spec"]["nodeName"]
    assert (redis.uid() != before, now_on != node) == (True, True)
    is_well(redis, node)
    figures = drilled.run["figures"]
    tell(drilled.line("node-crash"))
    tell(
        f"node-crash, from the word that it is off until it serves: {figures['longest_move']:.1f} s"
    )


def test_a_drill_that_was_killed_itself_is_undone(redis, machine):
    cluster = redis.deployed.cluster
    with marked_node(redis) as node:
        machine.watch(node)
        drilling = subprocess.Popen(
            [*STURDIS, *typed(redis, "node-crash")], stdout=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        silent = "--for=condition=Ready=Unknown"
        cluster.kubectl("wait", f"node/{node}", silent, "--timeout=150s")
        os.kill(drilling.pid, signal.SIGKILL)
        drilling.wait()
    assert left(redis)
    refused = sturdis(*typed(redis, "pod-delete"))
    assert (refused.returncode, error_code(refused)) == (16, "drill.left_behind")
    undone = sturdis("drill", "undo", "--json", timeout=200)
    assert undone.returncode == 0, undone.stderr
    assert len(json.loads(undone.stdout)["undone"]) == 5
    assert left(redis) == []
    is_well(redis, node)
    cluster.wait_ready(NAMESPACE, NAME)
    again = sturdis("drill", "undo")
    assert (again.returncode, again.stdout) == (0, "nothing is left to be undone\n")


def is_well(redis: Faulty, node: str) -> None:
    """The node is back, takes pods, and one server runs."""
    cluster = redis.deployed.cluster
    cluster.kubectl("wait", f"node/{node}", "--for=condition=Ready", "--timeout=90s")
    assert OUT_OF_SERVICE not in json.dumps(cluster.get("node", node)["spec"])
