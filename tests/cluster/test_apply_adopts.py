"""Taking over a deployment that was made by hand, with its data."""

import json
from typing import Any

import pytest

from sturdis import wiring
from sturdis.core.apply.plan import Step
from tests.cluster import pods
from tests.cluster.applying import REDIS, Applying, changed

ARGUMENTS = ("--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
OPEN = ("--protected-mode", "no", "--dir", "/data")


@pytest.fixture
def applying(cluster, namespace, tmp_path) -> Applying:
    found = Applying(cluster, namespace, tmp_path)
    found.spec(storage={"size": "2Gi"})
    return found


def by_hand(applying: Applying, *, volume: str = "data", **service: Any) -> None:
    """Deploy a Redis as it is usually written, with a key in it."""
    server = pods.container("redis", REDIS, "redis-server", *ARGUMENTS, *OPEN)
    server |= {"volumeMounts": [{"name": volume, "mountPath": "/data"}]}
    server["securityContext"] = {"allowPrivilegeEscalation": False}
    claim = pods.claim(volume, "1Gi")
    stateful_set = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "redis"},
        "spec": {
            "serviceName": "redis",
            "replicas": 1,
            "selector": {"matchLabels": {"app": "redis"}},
            "template": {"metadata": {"labels": {"app": "redis"}}, "spec": pods.spec(server)},
            "volumeClaimTemplates": [{"metadata": claim["metadata"], "spec": claim["spec"]}],
        },
    }
    served = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "redis"},
        "spec": {"selector": {"app": "redis"}, "ports": [{"port": 6379}], **service},
    }
    applying.cluster.apply(stateful_set, served, namespace=applying.namespace)
    applying.cluster.wait_ready(applying.namespace, "redis-0")
    applying.redis("set", "kept", "yes")


def grow(applying: Applying) -> None:
    """Grow the claim as the refusal says, by hand."""
    patch = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    applying.kubectl("patch", "pvc", "data-redis-0", "--type=merge", f"--patch={json.dumps(patch)}")


def test_a_bare_set_is_taken_over_with_its_claim_and_its_data(applying):
    by_hand(applying)
    assert applying.refused()["code"] == "cluster.foreign"
    small = applying.refused("--adopt")
    assert (small["code"], "patch pvc data-redis-0" in small["do"]) == ("cluster.claim", True)
    grow(applying)
    claim = applying.get("pvc", "data-redis-0")["metadata"]["uid"]
    shown = applying.run("--dry-run", "--adopt").stdout
    assert "re-create  statefulset/redis: selector, serviceName, podManagementPolicy" in shown
    assert "its pod runs on" in shown
    assert "--appendonly, yes, " in shown
    told = changed(applying.apply("--adopt"))
    assert (told["pod/redis-0"], told["statefulset/redis"]) == ("label", "re-create")
    assert applying.redis("get", "kept") == "yes"
    assert applying.get("pvc", "data-redis-0")["metadata"]["uid"] == claim
    assert changed(applying.apply()) == {}


def test_adopting_that_was_cut_short_behind_the_deletion_is_completed(applying):
    by_hand(applying)
    grow(applying)
    label = ("app.kubernetes.io/name=redis", "app.kubernetes.io/managed-by=sturdis")
    applying.kubectl("label", "pod", "redis-0", *label)
    applying.kubectl("delete", "statefulset", "redis", "--cascade=orphan")
    pod = applying.get("pod", "redis-0")["metadata"]
    assert "ownerReferences" not in pod
    told = changed(applying.apply("--adopt"))
    assert told["statefulset/redis"] == "create"
    assert applying.redis("get", "kept") == "yes"
    assert changed(applying.apply()) == {}


def test_adopting_that_is_cut_short_behind_every_step_goes_on_from_there(applying):
    by_hand(applying)
    grow(applying)
    done: list[str] = []

    def stop(step: Step) -> None:
        done.append(str(step.ref))
        raise KeyboardInterrupt

    for _step in range(20):
        try:
            applied = wiring.apply(
                applying.read(), context=applying.cluster.context, adopt=True, done=stop,
                agree=lambda _plan: True,
            )  # fmt: skip
        except KeyboardInterrupt:
            continue
        break
    assert (applied.serves, list(applied.plan.changing)) == (True, [])
    assert done.count("statefulset/redis") == 1
    assert len(done) == len(set(done))  # nothing was done twice
    assert applying.redis("get", "kept") == "yes"


def test_a_headless_service_of_that_name_gets_an_address(applying):
    by_hand(applying, clusterIP="None")
    grow(applying)
    assert changed(applying.apply("--adopt"))["service/redis"] == "re-create"
    assert applying.get("service", "redis")["spec"]["clusterIP"] != "None"


def test_a_set_whose_claim_has_another_name_is_not_taken_over(applying):
    by_hand(applying, volume="redis-data")
    error = applying.refused("--adopt")
    assert error["code"] == "cluster.claim"
    assert "redis-data-redis-0; ours is data-redis-0" in error["why"]
    assert applying.redis("get", "kept") == "yes"


def test_a_claim_grown_by_hand_makes_our_own_set_anew_without_its_pod(applying):
    applying.spec()
    applying.apply()
    applying.redis("set", "kept", "yes")
    pod = applying.get("pod", "redis-0")["metadata"]["uid"]
    grow(applying)
    applying.spec(storage={"size": "2Gi"})
    assert changed(applying.apply())["statefulset/redis"] == "re-create"
    template = applying.get("statefulset", "redis")["spec"]["volumeClaimTemplates"][0]
    assert template["spec"]["resources"]["requests"]["storage"] == "2Gi"
    assert applying.redis("get", "kept") == "yes"
    assert applying.get("pod", "redis-0")["metadata"]["uid"] == pod
