"""From deleting the pod until it serves again: our deployment against the bare manifest, in pairs.

The bare one is a StatefulSet with the same image, data, memory, readiness probe and exporter, whose
server gets its settings as arguments: no start script, no startup probe. Needs `make cluster`.
"""

import copy
import json
import statistics
from typing import Any

from tests.cluster import clusters
from tests.cluster.clusters import Cluster

from bench.figures import at_most, wall_ms
from sturdis.core.render import configuration, objects
from sturdis.core.spec import Spec
from sturdis.core.spec import file as specfile

PAIRS = 10
OVERHEAD_MS = 1000
KEYS = 20_000

SPEC = """\
engine: {image: "redis:8.0.2"}
memory: {limit: 128Mi}
storage: {size: 1Gi}
environments: {}
"""


def run() -> bool:
    """Measure and print; tell whether the limit is kept."""
    cluster = clusters.find()
    if not isinstance(cluster, Cluster):
        print(f"pod restart: {cluster}: nothing to measure on")
        return True
    with cluster.namespace("bench-bare"), cluster.namespace("bench-ours"):
        ours = specfile.parse(f"namespace: bench-ours\n{SPEC}", source="bench")
        bare = specfile.parse(f"namespace: bench-bare\n{SPEC}", source="bench")
        _deploy(cluster, list(objects.deployment(ours).values()))
        _deploy(cluster, _bare(bare))
        for namespace in ("bench-bare", "bench-ours"):
            _fill(cluster, namespace)
        pairs = [(_restart(cluster, "bench-bare"), _restart(cluster, "bench-ours"))
                 for _ in range(PAIRS)]  # fmt: skip
    alone, under = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"pod delete to serving: medians of {PAIRS} pairs, {KEYS} keys")
    return at_most(
        f"our deployment ({under:.0f} ms) over the bare manifest ({alone:.0f} ms)",
        statistics.median(ours - bare for bare, ours in pairs),
        OVERHEAD_MS,
    )


def _deploy(cluster: Cluster, manifests: list[dict[str, Any]]) -> None:
    namespace = manifests[-1]["metadata"]["namespace"]
    wanted = ("Namespace", "ConfigMap", "Service", "StatefulSet")
    items = [one for one in manifests if one["kind"] in wanted]
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    cluster.kubectl(
        "apply", "--server-side", "--force-conflicts", "-f", "-", given=json.dumps(listed)
    )
    cluster.wait_ready(namespace, "redis-0")


def _bare(spec: Spec) -> list[dict[str, Any]]:
    """Give our objects with the server started as it usually is."""
    found = copy.deepcopy(objects.deployment(spec))
    server = found["statefulset.yaml"]["spec"]["template"]["spec"]["containers"][0]
    server["command"] = ["redis-server"]
    server["args"] = [
        "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
        "--protected-mode", "no", "--dir", "/data",
    ]  # fmt: skip
    del server["startupProbe"], server["livenessProbe"]
    assert configuration.PROBE in server["readinessProbe"]["exec"]["command"][1]
    return list(found.values())


def _fill(cluster: Cluster, namespace: str) -> None:
    script = f"for i=1,{KEYS} do redis.call('SET', 'k'..i, string.rep('v', 100)) end"
    words = ("redis-cli", "EVAL", script, "0")
    cluster.kubectl("exec", "-n", namespace, "redis-0", "-c", "redis", "--", *words)


def _restart(cluster: Cluster, namespace: str) -> float:
    """Give the time from the pod's deletion until the next one is ready, in ms."""

    def restart() -> None:
        cluster.kubectl("delete", "pod", "-n", namespace, "redis-0")
        cluster.wait_ready(namespace, "redis-0")

    return wall_ms(restart)
