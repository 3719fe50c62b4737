"""`doctor --context`: each thing that keeps a pod from serving, made for real."""

import json
import os
import signal
import uuid

import pytest

from tests.cluster import deployments
from tests.cluster.deployments import POD, Deployed
from tests.cluster.diagnosed import doctor, redis, restarted, scale, server, volume

WAITING = "{.status.containerStatuses[?(@.name=='redis')].state.waiting.reason}"
DAMAGE = (
    "file=$(ls /data/appendonlydir/*.incr.aof | tail -n 1); "
    "printf %0200d 0 | tr 0 '!' | dd of=$file bs=1 seek=2000 conv=notrunc 2>&1"
)
"""Longer than a command and its value together: it meets more than a value, wherever it begins."""


def waits(deployed: Deployed, *reasons: str) -> None:
    """Return when the server's container waits for one of these reasons."""
    deployed.kubectl("wait", f"pod/{POD}", "--for=create", "--timeout=60s")
    for reason in reasons:
        told = f"--for=jsonpath={WAITING}={reason}"
        deployed.kubectl("wait", f"pod/{POD}", told, "--timeout=120s")


def test_a_claim_that_nobody_provides_for_names_its_class(cluster, tmp_path):
    name = f"silent-{uuid.uuid4().hex[:8]}"
    cluster.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "silent.test/none",
        }
    )
    try:
        with deployments.deployed(cluster, tmp_path, ready=False) as found:
            found.kubectl("delete", "statefulset", "redis")
            found.kubectl("delete", "pvc", "--all", "--wait=false")
            found.kubectl("wait", "pvc", "--all", "--for=delete", "--timeout=60s")
            text = found.file.read_text().replace("{size: 1Gi}", f"{{size: 1Gi, class: {name}}}")
            found.file.write_text(text)
            found.apply()
            found.kubectl("wait", f"pvc/data-{POD}", "--for=create", "--timeout=60s")
            told = doctor(found).find("claim.pending")
    finally:
        cluster.kubectl("delete", "storageclass", name)
    assert told["severity"] == "critical"
    assert name in told["seen"] + told["do"]


def test_an_image_that_is_not_pulled_is_told_in_the_words_of_who_tried(cluster, tmp_path):
    engine = 'engine: {image: "redis:8.0.99"}\n'
    with deployments.deployed(cluster, tmp_path, lines=engine, ready=False) as found:
        waits(found, "ErrImagePull")
        answer = doctor(found)
        assert "redis:8.0.99" in answer.find("pod.image")["what"]
        assert answer.findings[0]["id"] == "pod.image"


def test_a_damaged_file_is_told_with_the_start_scripts_own_reason(cluster, tmp_path):
    with deployments.deployed(cluster, tmp_path) as found:
        for number in range(50):
            redis(found, "set", f"key:{number}", "x" * 100)
        found.kubectl("exec", POD, "-c", "redis", "--", "sh", "-c", DAMAGE)
        found.kubectl("delete", "pod", POD, "--grace-period=0", "--force")
        waits(found, "CrashLoopBackOff")
        told = doctor(found).find("pod.crash")
        assert "appendonly.aof.1.incr.aof is whole up to byte" in told["seen"]
        assert "ended with status 11" in told["what"]
        assert told["do"]


@pytest.mark.usefixtures("machine")
def test_files_that_the_server_may_not_read_are_told_as_such(cluster, tmp_path):
    with deployments.deployed(cluster, tmp_path) as found:
        redis(found, "set", "key", "value")
        scale(found, 0)
        for path in (volume(found) / "appendonlydir", *(volume(found) / "appendonlydir").iterdir()):
            os.chown(path, 0, 0)
            path.chmod(0o700)
        found.kubectl("scale", "statefulset", "redis", "--replicas=1")
        waits(found, "CrashLoopBackOff")
        told = doctor(found).find("pod.crash")
        assert "ermission denied" in told["seen"] or "cannot be" in told["seen"], told


@pytest.mark.usefixtures("machine")
def test_a_server_that_was_killed_for_its_silence_is_told_when_it_serves_again(cluster, tmp_path):
    with deployments.deployed(cluster, tmp_path) as found:
        patched(found, ("livenessProbe/failureThreshold", 1))
        os.kill(server(found), signal.SIGSTOP)
        restarted(found, 1)
        cluster.wait_ready(found.namespace, POD)
        told = doctor(found).find("probe.liveness")
        assert told["severity"] == "serious"
        assert "1 times within the last hour" in told["seen"]


def test_a_start_budget_that_the_data_exceed_is_told_with_the_budget(cluster, tmp_path):
    with deployments.deployed(cluster, tmp_path) as found:
        redis(found, "eval", "for i = 1, 1000 do redis.call('set', i, i) end", "0")
        redis(found, "bgrewriteaof")
        config = found.get("configmap", "redis-config")["data"]["redis.conf"]
        slow = {"data": {"redis.conf": f"{config}\nkey-load-delay 100000\n"}}  # 0.1 s for each key
        found.kubectl("patch", "configmap", "redis-config", "--type=merge", "-p", json.dumps(slow))
        patched(found, ("startupProbe/failureThreshold", 3), ready=False)
        restarted(found, 1)
        answer = doctor(found)
        told = answer.find("probe.startup")
        assert told["severity"] == "critical"
        assert "max(60 s, 4 x maxmemory" in told["seen"]
        assert "pod.crash" not in answer.ids


def test_a_pod_that_no_node_has_room_for_says_what_is_short(cluster, tmp_path):
    with deployments.deployed(cluster, tmp_path) as found:
        patched(
            found, ("resources/limits/memory", "900Gi"), ("resources/requests/memory", "900Gi"),
            ready=False,
        )  # fmt: skip
        unscheduled = "{.status.conditions[?(@.type=='PodScheduled')].reason}=Unschedulable"
        found.kubectl("wait", f"pod/{POD}", f"--for=jsonpath={unscheduled}", "--timeout=60s")
        told = doctor(found).find("pod.unscheduled")
        assert "Insufficient memory" in told["seen"]


def patched(deployed: Deployed, *changes: tuple[str, object], ready: bool = True) -> None:
    """Change the server's container in the set by hand, and have a new pod of it."""
    scale(deployed, 0)
    patch = [
        {"op": "replace", "path": f"/spec/template/spec/containers/0/{path}", "value": value}
        for path, value in changes
    ]
    deployed.kubectl("patch", "statefulset", "redis", "--type=json", "-p", json.dumps(patch))
    if ready:
        scale(deployed, 1)
    else:
        deployed.kubectl("scale", "statefulset", "redis", "--replicas=1")
        deployed.kubectl("wait", f"pod/{POD}", "--for=create", "--timeout=60s")
