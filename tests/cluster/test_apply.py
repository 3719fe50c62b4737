"""`apply` on a real cluster: the first time, again, after a change, and when it is cut short."""

import json
import uuid
from collections.abc import Iterator

import pytest

from tests.cluster.applying import Applying, changed

LIMIT = "spec.template.spec.containers[redis].resources.limits.memory"
KEYS = ("password", "exporter-password", "sturdis-password")


@pytest.fixture
def applying(cluster, tmp_path) -> Iterator[Applying]:
    """Give a spec whose namespace is not there yet."""
    with cluster.namespace(f"sturdis-{uuid.uuid4().hex[:8]}", create=False) as name:
        found = Applying(cluster, name, tmp_path)
        found.spec()
        yield found


def test_the_first_apply_creates_all_and_serves_and_the_second_changes_nothing(applying):
    first = applying.apply()
    assert first["serves"]
    assert set(changed(first).values()) == {"create"}
    assert applying.redis("ping") == "PONG"
    again = applying.apply()
    assert (changed(again), again["serves"]) == ({}, True)
    assert "nothing to change" in applying.run().stderr  # and so nobody is asked


def test_a_change_is_shown_rolls_the_pod_and_keeps_the_data(applying):
    applying.apply()
    applying.redis("set", "kept", "yes")
    pod = applying.get("pod", "redis-0")["metadata"]["uid"]
    applying.spec(memory={"limit": "192Mi"})
    shown = applying.run("--dry-run")
    assert shown.returncode == 0
    assert f"{LIMIT}: 128Mi → 192Mi" in shown.stdout
    assert applying.get("pod", "redis-0")["metadata"]["uid"] == pod
    told = applying.apply()
    assert changed(told)["statefulset/redis"] == "change"
    assert "service/redis" not in changed(told)
    assert applying.get("pod", "redis-0")["metadata"]["uid"] != pod
    assert applying.redis("get", "kept") == "yes"


def test_without_a_terminal_new_objects_are_made_and_others_changed_only_when_agreed(applying):
    made = applying.run()
    assert made.returncode == 0, made.stderr
    assert "create     statefulset/redis" in made.stderr
    applying.spec(memory={"limit": "192Mi"})
    done = applying.run()
    assert done.returncode == 2
    assert "error[usage.not_agreed]" in done.stderr
    assert f"{LIMIT}: 128Mi → 192Mi" in done.stderr
    assert applying.get("statefulset", "redis")["metadata"]["generation"] == 1


def test_what_someone_changed_by_hand_is_named_and_taken_back_when_agreed(applying):
    applying.apply()
    label = "app.kubernetes.io/managed-by"
    patch = {"spec": {"selector": {label: "someone"}}}
    applying.kubectl("patch", "service", "redis", "--type=merge", f"--patch={json.dumps(patch)}")
    error = applying.refused()
    assert error["code"] == "cluster.conflict"
    assert ".spec.selector is" in error["why"]
    assert "kubectl-patch" in error["why"]
    assert "--adopt" in error["do"]
    applying.apply("--adopt")
    service = applying.get("service", "redis")
    assert service["spec"]["selector"][label] == "sturdis"


def test_a_deployment_with_passwords_serves_and_shows_none(applying):
    applying.spec(access={"passwordSecret": "redis-access", "networkPolicy": True})
    missing = applying.refused()
    assert missing["code"] == "cluster.secret"
    applying.cluster.kubectl("create", "namespace", applying.namespace)
    for number, key in enumerate(KEYS):
        (applying.folder / key).write_text(f"a-password-of-{number}")
    files = [f"--from-file={key}={applying.folder / key}" for key in KEYS]
    applying.kubectl("create", "secret", "generic", "redis-access", *files[:2])
    assert "lacks sturdis-password" in applying.refused()["what"]
    applying.kubectl("delete", "secret", "redis-access")
    applying.kubectl("create", "secret", "generic", "redis-access", *files)
    done = applying.run("--yes")
    assert done.returncode == 0, done.stderr
    assert "a-password-of" not in done.stdout + done.stderr
    # REDISCLI_AUTH is in the container: the client of the image finds it.
    assert applying.redis("ping") == "PONG"
    unknown = applying.redis("--user", "nobody", "--pass", "wrong", "ping")
    assert "NOAUTH" in unknown


def test_what_was_cut_short_while_it_waits_is_applied_and_says_how_to_look_on(applying):
    status, told = applying.interrupted("create configmap/redis-dashboard")
    assert status == 130
    assert "all is applied" in told
    assert "get pods,pvc,events" in told
    assert changed(applying.apply()) == {}


def test_a_broken_change_is_mended_by_the_next(applying):
    """A set waits for a pod that never becomes ready: the pod has to go with the mending."""
    applying.apply()
    applying.redis("set", "kept", "yes")
    applying.spec(engine={"image": "redis:8.0.99"})
    error = applying.refused(wait="10")
    assert error["code"] == "cluster.not_serving"
    assert "redis:8.0.99" in error["why"]
    applying.spec()
    told = applying.apply()
    assert changed(told) == {"statefulset/redis": "change", "pod/redis-0": "replace"}
    assert applying.redis("get", "kept") == "yes"


def test_nobody_waits_who_does_not_want_to(applying):
    told = applying.apply(wait="0")
    assert not told["serves"]
    assert changed(told)["statefulset/redis"] == "create"
