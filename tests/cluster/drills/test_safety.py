"""What a drill in a cluster leaves alone, what it says of its hooks, and a Ctrl-C."""

import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from sturdis.adapters.drill_cluster import marks
from sturdis.core.drill.faults.cluster import NodeCrash
from sturdis.core.errors import DrillError
from sturdis.core.report import Verdict
from tests.cluster.drills.faulty import NAMESPACE, Faulty, faulty
from tests.cluster.drills.scenes import SCENARIO, Act, act, drill, left, typed, under_load
from tests.integration.running import STURDIS, sturdis
from tests.integration.servers import wait_until

UNLOADED = msgspec.structs.replace(SCENARIO, load=None, under_load=(0.0, 0.0), observe=0.0)
CUT = {"partition": ["touch", "cut-{pod-uid}"], "partition-end": ["touch", "joined-{pod-uid}"]}
"""Hooks that are heard of, and drop nothing."""
KILL = {"fault": {"kind": "kill"}, "load": None, "expect": {"figures": {"kills": {"at_least": 1}}}}
STEADY = {"steady": {"acknowledged": 1, "processed": 0}}


@pytest.fixture(scope="module")
def redis(cluster, tmp_path_factory):
    """Give a deployment that stays whole."""
    with faulty(cluster, tmp_path_factory.mktemp("safety")) as found:
        yield found


@dataclass
class Hands:
    """Files of hooks and drills in a folder."""

    redis: Faulty
    folder: Path

    def typed(self, hooks, **fields):
        """Give what is typed to run a drill with these hooks and fields."""
        hooks_file, file = self.folder / "hooks.yaml", self.folder / "drill.yaml"
        images = {"images": {"python": "cluster.test/bullmq-python:1"}}
        hooks_file.write_text(json.dumps(hooks | images))
        told = {"name": "of-a-test", "hypothesis": "It holds.", "undo": "It is mended."}
        once = {"needs": [], "rounds": 1, "under_load": [0, 0]}
        file.write_text(json.dumps(told | once | fields))
        return (str(file), "--hooks", str(hooks_file))

    def drill(self, hooks, **fields):
        return drill(self.redis, *self.typed(hooks, **fields), hooks=False)


@pytest.fixture
def hands(redis, tmp_path):
    return Hands(redis, tmp_path)


def test_nothing_is_broken_once_the_label_was_taken_away(redis, tmp_path):
    cluster, broken = redis.deployed.cluster, []

    class Unlabelled(Act):
        def prepare(self):
            cluster.kubectl("label", "namespace", NAMESPACE, f"{marks.LABEL}-")

    unlabelled = Unlabelled(lambda: broken.append(True))
    outcome = under_load(redis, tmp_path, lambda _on, _run: unlabelled, UNLOADED)
    cluster.kubectl("label", "namespace", NAMESPACE, f"{marks.LABEL}={marks.ALLOWED}")
    assert (outcome.verdict, broken) == (Verdict.UNKNOWN, [])
    assert f"namespace {NAMESPACE} of" in str(outcome.reasons)
    assert "is not marked for drills" in str(outcome.reasons)


def test_a_node_that_is_not_marked_keeps_its_power(redis, hands, tmp_path):
    crash = {"node-crash": ["touch", "off"], "node-return": ["touch", "on"]}
    refused = hands.drill(crash, **(KILL | {"fault": {"kind": "node-crash"}}))
    assert (refused.status, refused.run["verdict"]) == (3, "unknown")
    assert "is not marked for drills" in refused.run["reasons"][0]["what"]
    broken = []
    scenario = msgspec.structs.replace(UNLOADED, fault=NodeCrash())
    with pytest.raises(DrillError) as error:
        under_load(redis, tmp_path, act(lambda: broken.append(True)), scenario)
    assert (error.value.code, broken) == ("drill.not_marked", [])
    assert error.value.what.startswith("node ")


@pytest.mark.parametrize(
    ("hook", "told"),
    [
        (["false", "{pod}"], "the hook false failed: it ended with status 1"),
        (["no-such-program", "{pod}"], "the hook no-such-program failed: "),
        (["true", "{pod}"], "the hook `kill` ended well, and the server lives on"),
    ],
)
def test_a_hook_that_fails_or_does_nothing_is_told(hook, told, redis, hands):
    before = redis.status()["containerID"]
    drilled = hands.drill({"kill": hook}, **KILL)
    assert (drilled.status, drilled.run["verdict"]) == (3, "unknown")
    assert told in str(drilled.run["reasons"])
    assert redis.status()["containerID"] == before


def test_a_server_that_was_asked_to_end_is_no_kill(redis, hands):
    kubectl = f"{redis.deployed.cluster.program} --context {redis.deployed.cluster.context}"
    asked = f"{kubectl} exec -n {{namespace}} {{pod}} -c redis -- redis-cli shutdown || true"
    drilled = hands.drill({"kill": ["sh", "-c", asked]}, **KILL)
    assert (drilled.status, drilled.run["figures"]["kills"]) == (1, 0)


def test_a_partition_that_drops_nothing_is_told(hands):
    fault, expect = {"kind": "partition", "seconds": 1}, {"figures": {"unmet": {"equals": 0}}}
    drilled = hands.drill(placed(hands), fault=fault, expect=expect, **STEADY)
    assert (drilled.status, drilled.run["figures"]["unmet"]) == (1, 1)


def test_a_ctrl_c_mends_what_is_broken_and_leaves_nothing(redis, hands):
    words = hands.typed(placed(hands), fault={"kind": "partition", "seconds": 600}, **STEADY)
    command = [*STURDIS, *typed(redis, words[0], hooks=False), *words[1:]]
    drilling = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    wait_until(lambda: any(hands.folder.glob("cut-*")), "the fault is injected", seconds=120)
    drilling.send_signal(signal.SIGINT)
    assert drilling.wait() == 130
    assert list(hands.folder.glob("joined-*"))
    assert left(redis) == []
    undo = sturdis("drill", "undo")
    assert (undo.returncode, undo.stdout) == (0, "nothing is left to be undone\n")


def placed(hands):
    """Give the hooks that drop nothing, with their files in the test's folder."""
    return {key: [touch, str(hands.folder / name)] for key, (touch, name) in CUT.items()}
