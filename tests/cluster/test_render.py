"""What is rendered is what the API server takes, field by field, and gives back as written."""

import json
from typing import Any

import pytest
import yaml

from sturdis.core import cluster_drift
from sturdis.core.render import objects, tree
from sturdis.core.render.argocd import Source
from sturdis.core.spec import file as specfile
from tests.cluster.clusters import Cluster

EVERYTHING = """\
engine: {kind: valkey, image: "registry.local:5000/valkey:9.1.2"}
memory: {limit: 1.5Gi}
persistence: {fsync: always}
storage: {size: 30G}
access: {passwordSecret: redis-auth, networkPolicy: true}
monitoring:
  queues: [mails, "a, b", "é", "on"]
  exporter: {port: 9200}
  thresholds: {connections: 1000000, memoryPercent: 1, waitingJobs: 1}
"""

QUANTITIES = ["10Gi", "1.5Gi", "1e9", "1073741824", "1000Mi", "2000000000", "1500000123"]


def tried(cluster: Cluster, namespace: str, manifest: dict[str, Any]) -> Any:
    """Give what the API server would keep of an object; unknown fields are refused."""
    meta = manifest["metadata"]
    where = {"namespace": namespace} if "namespace" in meta else {}
    given = json.dumps(manifest | {"metadata": meta | where})
    answer = cluster.kubectl(
        "apply", "--server-side", "--field-manager=sturdis", "--dry-run=server",
        "--validate=strict", "--force-conflicts", "--output=json", "--filename=-", given=given,
    )  # fmt: skip
    return json.loads(answer)


def unlike(manifest: dict[str, Any], kept: Any) -> list[str]:
    """Name the fields that came back otherwise; where it was tried is not one."""
    meta = {key: value for key, value in manifest["metadata"].items() if key != "namespace"}
    given = {**manifest, "metadata": meta}
    return [str(one) for one in cluster_drift.differences(given, kept)]


@pytest.mark.parametrize("text", ["", EVERYTHING], ids=["defaults", "everything"])
def test_every_object_is_taken_strictly_and_kept_as_written(text, cluster, namespace):
    file = specfile.read(text, source="sturdis.yaml")
    for deployment in (file.base, *file.environments.values()):
        for path, manifest in objects.deployment(deployment.spec).items():
            assert unlike(manifest, tried(cluster, namespace, manifest)) == [], path


@pytest.mark.parametrize("size", QUANTITIES)
def test_a_quantity_comes_back_as_it_was_written(size, cluster, namespace):
    text = f"{{storage: {{size: '{size}'}}, memory: {{limit: 64Mi}}, environments: {{}}}}"
    spec = specfile.parse(text, source="sturdis.yaml")
    manifest = objects.deployment(spec)["statefulset.yaml"]
    assert unlike(manifest, tried(cluster, namespace, manifest)) == []


@pytest.mark.parametrize(
    "path",
    ["apps/infrastructure/redis.yaml", "apps/infrastructure/storage/longhorn-replicated.yaml"],
)
def test_what_stands_beside_the_deployment_is_taken_strictly(path, cluster, namespace):
    file = specfile.read("", source="sturdis.yaml")
    manifest = yaml.safe_load(tree.tree(file, Source("ssh://git.local/app.git"))[path])
    manifest["metadata"]["name"] = f"tried-in-{namespace}"  # a class cannot be changed
    assert unlike(manifest, tried(cluster, namespace, manifest)) == []


def test_a_namespace_enforces_that_its_pods_are_confined(cluster, namespace):
    spec = specfile.parse("", source="sturdis.yaml")
    levels = objects.deployment(spec)["namespace.yaml"]["metadata"]["labels"]
    labels = [f"{key}={value}" for key, value in levels.items() if key.startswith("pod-security")]
    cluster.kubectl("label", "namespace", namespace, *labels)
    template = objects.deployment(spec)["statefulset.yaml"]["spec"]["template"]
    data = {"name": "data", "emptyDir": {}}  # a pod of a set has its claim here
    inside = {**template["spec"], "volumes": [*template["spec"]["volumes"], data]}
    meta = {"name": "confined", "namespace": namespace}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": inside}
    tried(cluster, namespace, pod)
    on_the_host = json.dumps(pod | {"spec": inside | {"hostNetwork": True}})
    refused = cluster.try_kubectl("create", "--dry-run=server", "-f", "-", given=on_the_host)
    assert "violates PodSecurity" in refused.stderr
