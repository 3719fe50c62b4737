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


def server_of(*arguments: str, volume: str = "data") -> dict[str, Any]:
    server = pods.container("redis", REDIS, "redis-server", *arguments, *OPEN)
    server |= {"volumeMounts": [{"name": volume, "mountPath": "/data"}]}
    server["securityContext"] = {"allowPrivilegeEscalation": False}
    return server


def by_hand(
    applying: Applying, *arguments: str, volume: str = "data", size: str = "1Gi", **service: Any
) -> None:
    """Deploy a Redis as it is usually written, with a key in it."""
    server = server_of(*(arguments or ARGUMENTS), volume=volume)
    claim = pods.claim(volume, size)
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
    applying.cluster.apply(stateful_set, served(**service), namespace=applying.namespace)
    applying.cluster.wait_ready(applying.namespace, "redis-0")
    applying.redis("set", "kept", "yes")


def served(**more: Any) -> dict[str, Any]:
    """Give the Service of a Redis that was made by hand."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "redis"},
        "spec": {"selector": {"app": "redis"}, "ports": [{"port": 6379}], **more},
    }


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
    assert "--appendonly" not in shown  # what others wrote may hold a password
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


def test_ctrl_c_in_a_step_names_it_and_what_does_the_rest(applying):
    by_hand(applying, size="2Gi", clusterIP="None")
    finalizers = json.dumps({"metadata": {"finalizers": ["example.com/kept"]}})
    applying.kubectl("patch", "service", "redis", f"--patch={finalizers}")

    def is_deleted() -> bool:
        return "deletionTimestamp" in applying.get("service", "redis")["metadata"]

    done = "done      create configmap/redis-config"
    status, told = applying.interrupted(done, "--adopt", until=is_deleted)
    assert status == 130, told
    assert "cut short in re-create service/redis" in told
    spec = applying.folder / "sturdis.yaml"
    assert f"sturdis apply --context {applying.cluster.context} --spec {spec} --adopt    " in told
    applying.kubectl("patch", "service", "redis", '--patch={"metadata": {"finalizers": null}}')
    applying.apply("--adopt")
    assert applying.redis("get", "kept") == "yes"


def test_a_set_whose_claim_has_another_name_is_not_taken_over(applying):
    by_hand(applying, volume="redis-data")
    error = applying.refused("--adopt")
    assert error["code"] == "cluster.claim"
    assert "redis-data-redis-0; ours is data-redis-0" in error["why"]
    assert applying.redis("get", "kept") == "yes"


@pytest.mark.parametrize(
    "arguments", [("--save", ""), ("--save", "3600 1")], ids=["memory", "snapshots"]
)
def test_a_server_without_an_append_only_file_is_taken_over_only_once_it_has_one(
    applying, arguments
):
    by_hand(applying, *arguments, size="2Gi")
    before = applying.get("statefulset", "redis")["metadata"]["uid"]
    error = applying.refused("--adopt")
    assert error["code"] == "cluster.claim"
    assert "appendonly no" in error["why"]
    assert f"-n {applying.namespace} exec redis-0 -c redis -- redis-cli config set" in error["do"]
    assert applying.get("statefulset", "redis")["metadata"]["uid"] == before
    assert applying.redis("config", "set", "appendonly", "yes") == "OK"
    until_rewritten(applying)
    applying.apply("--adopt")
    assert applying.redis("get", "kept") == "yes"


def until_rewritten(applying: Applying) -> None:
    """Ask until the append-only file is whole, as the refusal says; the server does the work."""
    while "aof_rewrite_in_progress:0" not in applying.redis("info", "persistence"):
        pass


def test_a_server_that_asks_for_a_password_is_not_taken_over_unasked(applying):
    by_hand(applying, "--save", "", size="2Gi")
    applying.redis("config", "set", "requirepass", "hunter2")
    error = applying.refused("--adopt")
    assert (error["code"], "NOAUTH" in error["why"]) == ("cluster.claim", True)
    assert "REDISCLI_AUTH" in error["do"]
    assert "hunter2" not in json.dumps(error)


def test_a_service_of_a_deployment_does_not_lose_its_clients_to_an_empty_server(applying):
    server = server_of("--save", "")
    spec = pods.spec(server) | {"volumes": [{"name": "data", "emptyDir": {}}]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "redis"},
        "spec": {
            "selector": {"matchLabels": {"app": "redis"}},
            "template": {"metadata": {"labels": {"app": "redis"}}, "spec": spec},
        },
    }
    applying.cluster.apply(deployment, served(), namespace=applying.namespace)
    applying.kubectl("rollout", "status", "deployment/redis", "--timeout=120s")
    name = applying.kubectl("get", "pods", "-l", "app=redis", "-o", "name").strip()
    error = applying.refused("--adopt")
    assert error["code"] == "cluster.foreign"
    assert error["what"].startswith("service/redis ")
    assert name.removeprefix("pod/") in error["why"]
    assert applying.get("service", "redis")["spec"]["selector"] == {"app": "redis"}


@pytest.mark.parametrize("words", [(), ("--adopt",)])
def test_a_bare_pod_whose_data_is_in_no_claim_is_not_offered_to_be_taken(applying, words):
    server = server_of("--save", "")
    spec = pods.spec(server) | {"volumes": [{"name": "data", "emptyDir": {}}]}
    bare = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "redis-0"}, "spec": spec}
    applying.cluster.apply(bare, namespace=applying.namespace)
    applying.cluster.wait_ready(applying.namespace, "redis-0")
    error = applying.refused(*words)
    assert error["code"] == "cluster.claim"
    assert "in no claim" in error["why"]
    assert "--adopt" not in error["do"]
    assert not applying.get("pod", "redis-0")["metadata"].get("labels")


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
