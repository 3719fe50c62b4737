"""What `grow` refuses on a real cluster, before anything is changed."""

import json
import uuid
from collections.abc import Iterator

import pytest

from tests.cluster.deployments import grant
from tests.cluster.growing import Growing
from tests.cluster.machine.places import LIMITED


@pytest.fixture
def growing(cluster, namespace, tmp_path) -> Growing:
    """Give a namespace of its own with nothing in it yet."""
    found = Growing(cluster, namespace, tmp_path)
    found.sized("1Gi")
    return found


@pytest.fixture
def stiff(growing) -> Iterator[str]:
    """Give a class whose volumes may not grow."""
    name = f"stiff-{uuid.uuid4().hex[:8]}"
    of = {"provisioner": "driver.longhorn.io", "volumeBindingMode": "Immediate"}
    head = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
    growing.cluster.apply(head | of)
    yield name
    growing.cluster.kubectl("delete", "storageclass", name)


def test_no_claim_is_made_by_growing(growing):
    error = growing.not_grown()
    assert error["code"] == "cluster.not_found"
    assert growing.kubectl("get", "all,pvc", "-o", "name") == ""


def test_an_unknown_cluster_is_told(growing):
    error = growing.not_grown(context=f"{growing.cluster.context}x")
    assert error["code"] == "cluster.unknown_context"


def test_a_class_that_lets_nothing_grow_is_named(growing, stiff):
    growing.sized("1Gi", storage_class=stiff)
    growing.apply()
    growing.sized("2Gi", storage_class=stiff)
    error = growing.not_grown()
    assert error["code"] == "cluster.not_grown"
    assert stiff in error["what"]
    assert growing.sizes() == ("1Gi", "1Gi", "1Gi")
    patch = error["do"].partition("kubectl ")[2].partition(";")[0]
    name, given = patch.split(" -p ")
    growing.cluster.kubectl(*name.split(), "-p", given.strip("'"))
    assert growing.grow()["podRanOn"]


def test_a_smaller_size_another_class_and_a_quota_are_refused_and_change_nothing(growing):
    growing.sized("2Gi")
    growing.apply()
    growing.sized("1Gi")
    smaller = growing.not_grown()
    assert (smaller["code"], "size: 2Gi" in smaller["do"]) == ("cluster.claim", True)
    growing.sized("4Gi", storage_class="other")
    other = growing.not_grown()
    assert (other["code"], "class: longhorn-replicated" in other["do"]) == ("cluster.claim", True)
    growing.kubectl("create", "quota", "small", "--hard=requests.storage=3Gi")
    growing.sized("4Gi")
    quota = growing.not_grown()
    assert (quota["code"], "exceeded quota" in quota["why"]) == ("cluster.refused", True)
    assert growing.sizes() == ("2Gi", "2Gi", "2Gi")


@pytest.mark.usefixtures("machine")
def test_a_right_that_is_missing_is_named_with_its_verb(growing):
    monitoring = {"serviceMonitor": False, "rules": False}
    growing.sized("1Gi", monitoring=monitoring)
    growing.apply()
    growing.sized("2Gi", monitoring=monitoring)
    look = ["get", "list", "watch"]
    rights = dict.fromkeys(("configmaps", "services", "pods", "statefulsets"), look)
    rights["persistentvolumeclaims"] = [*look, "patch"]
    grant(growing.cluster, growing.namespace, LIMITED, rights)
    error = growing.not_grown(context=LIMITED)
    assert error["code"] == "cluster.forbidden"
    assert "may not delete statefulsets.apps" in error["what"]
    assert growing.sizes() == ("1Gi", "1Gi", "1Gi")
    rights["statefulsets"] = [*look, "delete", "create", "patch"]
    grant(growing.cluster, growing.namespace, LIMITED, rights)
    told = growing.grow(context=LIMITED)
    assert told["podRanOn"]
    assert any("StorageClass" in one for one in told["warnings"])


def test_a_storage_that_does_not_grow_is_waited_for_and_what_it_says_is_told(growing, stiff):
    """The class lets volumes grow, and nobody is there to do it."""
    growing.sized("1Gi", storage_class=stiff)
    growing.apply()
    allow = json.dumps({"allowVolumeExpansion": True})
    growing.cluster.kubectl("patch", "storageclass", stiff, "-p", allow)
    claim = growing.get("pvc", "data-redis-0")["metadata"]
    note = "volume.kubernetes.io/storage-provisioner"
    growing.kubectl("annotate", "pvc", claim["name"], f"{note}=nobody", "--overwrite")
    growing.sized("2Gi", storage_class=stiff)
    error = growing.not_grown("--wait", "5")
    assert error["code"] == "cluster.not_grown"
    assert "nothing has begun to grow claim data-redis-0" in error["why"]
    assert growing.sizes() == ("2Gi", "1Gi", "1Gi")
    growing.kubectl(
        "annotate", "pvc", claim["name"], f"{note}={'driver.longhorn.io'}", "--overwrite"
    )
    assert growing.grow()["podRanOn"]
    assert growing.sizes() == ("2Gi", "2Gi", "2Gi")
