"""A node that loses its power under BullMQ's clients, and a person who says so."""

import json
import subprocess

from sturdis.adapters.drill.ledger_log import SUFFIX
from sturdis.core.drill import events
from sturdis.core.drill.events import Acknowledged
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Machine
from tests.cluster.diagnosed import doctor
from tests.cluster.drills.faulty import NAME, Faulty, faulty, now
from tests.cluster.drills.load_pods import LANGUAGES, LoadPods
from tests.cluster.drills.scenes import Scene
from tests.cluster.drills.test_faults import holds

NODE = "{.spec.nodeName}"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


def test_a_crashed_node_costs_no_acknowledged_job(cluster, clients, machine, tmp_path, tell):
    with faulty(cluster, tmp_path) as redis:
        node = apart(cluster, redis, clients)
        with Scene(clients, redis) as scene:
            scene.under_load()
            with scene.fault():
                machine.crash(node)
                silent = "--for=condition=Ready=Unknown"
                cluster.kubectl("wait", f"node/{node}", silent, "--timeout=90s")
                told = doctor(redis.deployed).find("node.silent")
                word = now()
                said = redis.deployed.sturdis("doctor", "--json", "--node-is-off", node, "--yes")
                assert said.returncode == 0, said.stdout + said.stderr
                moved = json.loads(said.stdout)
                back = {name: resumed(scene, name, word) for name in LANGUAGES}
            scene.under_load()
            taken_back(redis, machine, node)
            cost = scene.conclude()
    tell(cost.line("node crash"))
    tell(
        f"node crash, from the word that it is off: {moved['seconds']:.1f} s until it serves on "
        f"{moved['serves_on']}; until the next job is added "
        + ", ".join(f"{(at - word) / 1000:.1f} s by {name}" for name, at in back.items())
    )
    assert (f"node {node}" in told["what"], moved["serves_on"] != node) == (True, True)
    holds(cost)


def resumed(scene: Scene, name: str, since: int) -> int:
    """Return when a client adds jobs again, and give the time of the first."""
    while True:
        scene.loads.fetch()
        lines = (scene.loads.folder / f"{name}{SUFFIX}").read_bytes().splitlines()
        found = [one.at for one in map(events.decode, lines) if isinstance(one, Acknowledged)]
        if later := [at for at in found if at > since]:
            return later[0]


def apart(cluster: Cluster, redis: Faulty, clients: LoadPods) -> str:
    """Have the server on another node than its clients, and give that node."""
    where = clients.command("get", "pod", next(iter(LANGUAGES)), f"--output=jsonpath={NODE}")
    theirs = subprocess.run(where, capture_output=True, text=True, check=True).stdout
    if node_of(redis) == theirs:
        cluster.kubectl("cordon", theirs)
        try:
            redis.delete_pod()
        finally:
            cluster.kubectl("uncordon", theirs)
    assert node_of(redis) != theirs
    return node_of(redis)


def node_of(redis: Faulty) -> str:
    return str(redis.deployed.get("pod", NAME)["spec"]["nodeName"])


def taken_back(redis: Faulty, machine: Machine, node: str) -> None:
    """Bring the node back, and have one server all the same: the one that has moved."""
    before, cluster = redis.uid(), redis.deployed.cluster
    machine.power_on(node)
    assert OUT_OF_SERVICE in json.dumps(cluster.get("node", node)["spec"])
    assert doctor(redis.deployed).find("node.returned")["severity"] == "minor"
    back = redis.deployed.sturdis("doctor", "--node-returned", node)
    assert back.returncode == 0, back.stderr
    assert OUT_OF_SERVICE not in json.dumps(cluster.get("node", node)["spec"])
    assert "node.returned" not in doctor(redis.deployed).ids
    assert (redis.uid(), node_of(redis) != node) == (before, True)
