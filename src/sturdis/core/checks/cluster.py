"""Whether the deployment's objects in a cluster do their part: pod, claim, Services, monitoring."""

from collections.abc import Mapping, Sequence
from typing import Any

from sturdis.core import spec as specs
from sturdis.core import units
from sturdis.core.checks import cluster_pod
from sturdis.core.checks.judgement import (
    Check,
    Judgement,
    failed,
    in_cluster,
    known,
    known_object,
    not_applicable,
    passed,
    unknown,
    warned,
)
from sturdis.core.cluster import CLAIM, SERVICE, SERVICE_MONITOR, Manifest, Ref
from sturdis.core.cluster_facts import Asked, ClusterFacts
from sturdis.core.facts import NOT_TRIED, NotVisible, ServerFacts, Unseen
from sturdis.core.ports import REDIS_PORT
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

ANSWERS = ("PONG", "NOAUTH", "LOADING", "MISCONF", "BUSY")
"""How a reply begins that shows that the server was reached; its other checks judge the reply."""


def _claim(spec: Spec, facts: ServerFacts) -> Judgement:
    cluster = in_cluster(facts)
    name = metadata.claim_name(spec)
    do = f"{cluster.kubectl} describe pvc {name}"
    claim = known_object(cluster.claim, Ref(CLAIM, name), do)
    phase = claim.get("status", {}).get("phase", "unknown")
    storage_class = claim["spec"].get("storageClassName", "")
    if phase != "Bound":
        return failed(f"{name} is {phase}, of class {storage_class}", do)
    if storage_class != spec.storage.storage_class:
        seen = f"{name} is of class {storage_class}, not {spec.storage.storage_class}"
        return failed(seen, f"set storage.class: {storage_class} in the spec, or move the data")
    return _claim_size(spec, claim, cluster)


def _claim_size(spec: Spec, claim: Manifest, cluster: ClusterFacts) -> Judgement:
    name, wanted = metadata.claim_name(spec), specs.storage_size(spec)
    asked = _bytes(claim["spec"]["resources"]["requests"]["storage"])
    has = _bytes(claim["status"].get("capacity", {}).get("storage", "0"))
    seen = f"{name} is Bound, {units.human_bytes(has)} of class {spec.storage.storage_class}"
    if has < asked:
        waits = "; ".join(
            f"{one['type']}: {one.get('message', '')}".rstrip(": ")
            for one in claim["status"].get("conditions", ())
        )
        seen += f"; growing to {units.human_bytes(asked)}" + (f" ({waits})" if waits else "")
        judge = warned if has >= wanted else failed
        return judge(seen, f"{cluster.kubectl} describe pvc {name}; growth is pending")
    if has < wanted:
        return failed(f"{seen}; the spec says {units.human_bytes(wanted)}", cluster.grow)
    if asked > wanted:
        said = f"{seen}; the spec says {units.human_bytes(wanted)}, and a claim cannot shrink"
        return warned(said, f"set storage.size: {units.canonical_bytes(asked)} in the spec")
    return passed(seen)


def _bytes(quantity: str) -> int:
    """Read a size as the API server writes it; 0 for what is no size that Sturdis knows."""
    try:
        return units.parse_bytes(quantity)
    except ValueError:
        return 0


def _service(spec: Spec, facts: ServerFacts) -> Judgement:
    cluster = in_cluster(facts)
    do = f"{cluster.kubectl} describe service {spec.name}"
    ref = Ref(SERVICE, spec.name, spec.namespace)
    service = known_object(cluster.live.get(ref), ref, cluster.apply)
    if not _selects(service, cluster.pod):
        selector = service["spec"].get("selector") or {}
        seen = f"its selector {_words(selector)} matches none of the labels of the pod"
        return failed(f"service {spec.name}: {seen}", cluster.apply)
    port = next((p for p in service["spec"].get("ports", ()) if p["port"] == REDIS_PORT), None)
    if port is None:
        return failed(f"service {spec.name} has no port {REDIS_PORT}", cluster.apply)
    target = _pod_port(cluster.pod, port.get("targetPort", REDIS_PORT))
    if target != REDIS_PORT:
        seen = f"port {REDIS_PORT} leads to {port.get('targetPort')} of the pod"
        return failed(f"service {spec.name}: {seen}", cluster.apply)
    if service["spec"].get("clusterIP") == "None":
        seen = "is headless: clients keep the address of a pod that is gone"
        return warned(f"service {spec.name} {seen}", do)
    name = cluster.pod["metadata"]["name"]
    return passed(f"service {spec.name} leads to port {REDIS_PORT} of {name}")


def _selects(service: Manifest, pod: Manifest) -> bool:
    selector = service["spec"].get("selector") or {}
    labels = pod["metadata"].get("labels", {})
    return bool(selector) and selector.items() <= labels.items()


def _pod_port(pod: Manifest, port: int | str) -> int | None:
    """Give the number of a pod's port that a Service names, by number or by name."""
    if isinstance(port, int):
        return port
    ports = (one for container in pod["spec"]["containers"] for one in container.get("ports", ()))
    return next((one["containerPort"] for one in ports if one.get("name") == port), None)


def _words(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items()) or "(none)"


def _address(_spec: Spec, facts: ServerFacts) -> Judgement:
    cluster = in_cluster(facts)
    name = cluster.host
    seen, near = cluster.from_another_pod, cluster.from_its_own_pod
    if isinstance(seen, Unseen):
        beside = f"; its own pod asked {name}: {near.reply}" if isinstance(near, Asked) else ""
        again = "sturdis verify --context … without --read-only: it runs a pod for a moment"
        return unknown(seen.reason + beside, again if seen == NOT_TRIED else _try(cluster, name))
    where = f"{name} ({seen.resolved})" if seen.resolved else name
    if seen.reply.startswith(ANSWERS):
        return passed(f"{where} answers another pod: {seen.reply}")
    return failed(f"{where}, asked from another pod: {seen.reply}", _try(cluster, name))


def _try(cluster: ClusterFacts, name: str) -> str:
    pod = cluster.pod["metadata"]["name"]
    return f"{cluster.kubectl} exec {pod} -c redis -- redis-cli -h {name} ping"


def _monitor(spec: Spec, facts: ServerFacts) -> Judgement:
    cluster = in_cluster(facts)
    off = "monitoring.serviceMonitor: true in the spec, then " + cluster.apply
    if not spec.monitoring.service_monitor:
        return not_applicable("the spec says serviceMonitor: false", off)
    ref = next((one for one in cluster.live if one.kind == SERVICE_MONITOR), None)
    if ref is None:
        return not_applicable("the spec has no ServiceMonitor", off)
    live = cluster.live[ref]
    if isinstance(live, NotVisible):
        do = "install the Prometheus operator, then " + cluster.apply
        return warned(f"{live.reason}: no Prometheus finds the exporter by it", do)
    monitor = known_object(live, ref, cluster.apply)
    services = known(cluster.services, f"{cluster.kubectl} get services")
    looks_in = monitor["spec"].get("namespaceSelector", {})
    if spec.namespace not in looks_in.get("matchNames", [spec.namespace]):
        seen = f"{ref} looks in namespace {', '.join(looks_in['matchNames'])} alone"
        return failed(seen, cluster.apply)
    selected = [one for one in services if _is_monitored(monitor, one)]
    if not selected:
        labels = _words(monitor["spec"].get("selector", {}).get("matchLabels", {}))
        return failed(f"{ref} selects no Service here: none is labelled {labels}", cluster.apply)
    return _monitored_ports(monitor, selected, ref, cluster)


def _is_monitored(monitor: Manifest, service: Manifest) -> bool:
    wanted = monitor["spec"].get("selector", {}).get("matchLabels", {})
    return bool(wanted.items() <= service["metadata"].get("labels", {}).items())


def _monitored_ports(
    monitor: Manifest, services: Sequence[Manifest], ref: Ref, cluster: ClusterFacts
) -> Judgement:
    names = [one.get("port", "") for one in monitor["spec"].get("endpoints", ())]
    for service in services:
        ports: dict[str, Any] = {
            p.get("name", ""): p.get("targetPort", p["port"])
            for p in service["spec"].get("ports", ())
        }
        led = [name for name in names if _pod_port(cluster.pod, ports.get(name, "")) is not None]
        if led and _selects(service, cluster.pod):
            found = f"{ref} finds port {led[0]} of the pod"
            return passed(f"{found} through service {service['metadata']['name']}")
    shown = ", ".join(one["metadata"]["name"] for one in services)
    wanted = ", ".join(names) or "(none)"
    seen = f"{ref} selects service {shown}, where no port {wanted} leads to the pod"
    return failed(seen, cluster.apply)


CLUSTER = (
    *cluster_pod.POD,
    Check(
        "cluster.claim",
        "the volume is bound, of the class and size of the spec",
        "The class decides how many copies of the data there are; a full volume stops writes.",
        _claim,
    ),
    Check(
        "cluster.service",
        "the Service leads to the pod",
        "A Service that selects nothing refuses every client, while the server is well.",
        _service,
    ),
    Check(
        "cluster.address",
        "the address that clients are given answers from another pod",
        "DNS, the Service and the network between nodes fail apart from the server.",
        _address,
    ),
    Check(
        "cluster.monitor",
        "Prometheus' operator is told where the metrics are",
        "Selectors and port names that do not match give no error: the alerts just stay silent.",
        _monitor,
    ),
)
"""Checks on the objects of a cluster."""
