"""What `apply` says of a deployment that does not come to serve."""

import uuid

import pytest

from tests.cluster.applying import GIVE_UP, Applying
from tests.cluster.deployments import grant
from tests.cluster.machine.places import LIMITED


@pytest.fixture
def applying(cluster, namespace, tmp_path) -> Applying:
    return Applying(cluster, namespace, tmp_path)


def explained(applying: Applying) -> dict[str, str]:
    error = applying.refused(wait=GIVE_UP)
    assert error["code"] == "cluster.not_serving"
    return error


def test_a_claim_that_nobody_provisions_names_the_provisioner(applying):
    name = f"silent-{uuid.uuid4().hex[:8]}"
    silent = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "silent.test/none",
    }
    applying.cluster.apply(silent)
    try:
        applying.spec(storage={"size": "1Gi", "class": name})
        error = explained(applying)
    finally:
        applying.cluster.kubectl("delete", "storageclass", name)
    assert "claim data-redis-0 waits for a volume" in error["why"]
    assert "silent.test/none" in error["why"]
    assert name in error["do"]


def test_an_image_that_cannot_be_pulled_is_named_with_the_registrys_words(applying):
    applying.spec(engine={"image": "registry.invalid/redis:8.0.99"})
    error = explained(applying)
    assert (
        "the image registry.invalid/redis:8.0.99 of container redis is not pulled" in error["why"]
    )
    assert "registry.invalid" in error["why"]


def test_a_pod_that_fits_on_no_node_says_what_is_short(applying):
    applying.spec(memory={"limit": "900Gi"}, storage={"size": "2Ti"})
    error = explained(applying)
    assert "Insufficient memory" in error["why"]
    assert "memory.limit" in error["do"]


def test_a_quota_that_lets_no_pod_be_made_is_told_in_its_words(applying):
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"pods": "0"}},
    }
    applying.cluster.apply(quota, namespace=applying.namespace)
    applying.spec()
    error = explained(applying)
    assert "the StatefulSet cannot make its pod" in error["why"]
    assert "exceeded quota" in error["why"]


@pytest.mark.usefixtures("machine")
def test_a_secret_that_who_applies_may_not_see_is_missed_by_the_kubelet_and_named(applying):
    kinds = ("configmaps", "services", "statefulsets", "pods", "persistentvolumeclaims")
    rights = {kind: ["get", "list", "watch", "create", "patch"] for kind in kinds}
    grant(applying.cluster, applying.namespace, LIMITED, rights)
    applying.spec(
        access={"passwordSecret": "redis-access"},
        monitoring={"serviceMonitor": False, "rules": False},
    )
    error = applying.refused(wait=GIVE_UP, context=LIMITED)
    assert error["code"] == "cluster.not_serving"
    assert 'secret "redis-access" not found' in error["why"]
    assert "access.passwordSecret" in error["do"]


def test_a_damaged_file_is_a_crash_loop_that_is_told_with_its_meaning(applying):
    applying.spec()
    applying.apply()
    value = "x" * 100
    written = f"n=0; while [ $n -lt 50 ]; do redis-cli set key:$n {value}; n=$((n + 1)); done"
    applying.kubectl("exec", "redis-0", "-c", "redis", "--", "sh", "-c", written)
    # In the middle of the increment, and longer than a value: no interrupted write explains that.
    script = (
        "file=$(ls /data/appendonlydir/*.incr.aof | tail -n 1); "
        "head -c 400 /dev/zero | dd of=$file bs=1 seek=2000 conv=notrunc 2>&1"
    )
    applying.kubectl("exec", "redis-0", "-c", "redis", "--", "sh", "-c", script)
    applying.kubectl("delete", "pod", "redis-0", "--grace-period=0", "--force")
    error = applying.refused(wait="25")
    assert error["code"] == "cluster.not_serving"
    assert "container redis ended with status" in error["why"]
    assert "restarts so far" in error["why"]
    assert error["do"]
