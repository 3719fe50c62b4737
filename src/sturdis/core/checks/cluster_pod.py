"""Whether the one pod runs, on the image and the objects that the spec gives."""

from collections.abc import Iterator, Sequence
from typing import Any

from sturdis.core import cluster_drift, cluster_troubles
from sturdis.core.apply import ownership
from sturdis.core.checks.judgement import (
    Check,
    Judgement,
    failed,
    in_cluster,
    passed,
    unknown,
    warned,
)
from sturdis.core.cluster import NAMESPACE, STATEFUL_SET, Manifest, Ref, is_ready, ref_of
from sturdis.core.cluster_facts import ClusterFacts
from sturdis.core.cluster_troubles import Scene
from sturdis.core.facts import NotVisible, ServerFacts, Unseen
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

SHOWN_DIFFERENCES = 3
"""Fields that are told of; the number of the others follows."""


def _pod(spec: Spec, facts: ServerFacts) -> Judgement:
    cluster = in_cluster(facts)
    pod, status = cluster.pod, cluster.pod.get("status", {})
    name = pod["metadata"]["name"]
    describe = f"{cluster.kubectl} describe pod {name}"
    if "deletionTimestamp" in pod["metadata"]:
        return failed(f"{name} has been ending since {_ending_since(pod)}", describe)
    if not is_ready(pod):
        return _not_ready(spec, cluster)
    seen = f"{name} is Running and Ready on {pod['spec'].get('nodeName', 'no node')}"
    if restarted := dict(_restarted(status)):
        do = f"{cluster.kubectl} logs {name} -c {next(iter(restarted))} --previous"
        return warned("; ".join((seen, *restarted.values())), do)
    if _is_outdated(spec, cluster):
        do = f"{cluster.kubectl} rollout status statefulset/{spec.name}"
        return warned(f"{seen}; a newer revision of it waits to be rolled out", do)
    return passed(f"{seen}, never restarted")


def _ending_since(pod: Manifest) -> str:
    return str(pod["metadata"]["deletionTimestamp"])


def _not_ready(spec: Spec, cluster: ClusterFacts) -> Judgement:
    pod, phase = cluster.pod, cluster.pod.get("status", {}).get("phase", "Pending")
    name = pod["metadata"]["name"]
    owner = cluster.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    scene = Scene(
        owner if isinstance(owner, dict) else None,
        pod,
        cluster.claim if isinstance(cluster.claim, dict) else None,
        cluster.events,
        cluster.logs,
    )
    for trouble in cluster_troubles.troubles(scene, cluster.kubectl):
        return failed(f"{name} is {phase}: {trouble.what}: {trouble.why}", trouble.do)
    waiting = [
        f"container {one['name']}"
        for one in cluster_troubles.container_statuses(pod)
        if not one.get("ready")
    ]
    seen = f"{name} is {phase}; not ready: {', '.join(waiting) or 'the pod'}"
    return failed(seen, f"{cluster.kubectl} describe pod {name}")


def _end(terminated: Manifest) -> str:
    return f"{terminated.get('reason', 'its end')} (status {terminated.get('exitCode')})"


def _restarted(status: Manifest) -> Iterator[tuple[str, str]]:
    """Give each container that was restarted, and what is known of it."""
    for one in status.get("containerStatuses", ()):
        if count := one.get("restartCount", 0):
            last = one.get("lastState", {}).get("terminated", {})
            why = f", last after {_end(last)} at {last.get('finishedAt')}" if last else ""
            times = "once" if count == 1 else f"{count} times"
            yield one["name"], f"container {one['name']} was restarted {times}{why}"


def _is_outdated(spec: Spec, cluster: ClusterFacts) -> bool:
    live = cluster.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    if not isinstance(live, dict):
        return False
    runs = cluster.pod["metadata"].get("labels", {}).get("controller-revision-hash")
    wanted = live.get("status", {}).get("updateRevision")
    return bool(runs and wanted and runs != wanted)


def _image(_spec: Spec, facts: ServerFacts) -> Judgement:
    cluster = in_cluster(facts)
    wanted = {one["name"]: one["image"] for one in _containers(cluster.wanted)}
    running = {one["name"]: one["image"] for one in cluster.pod["spec"]["containers"]}
    others = [
        f"{name} runs {running.get(name, 'nothing')}, not {image}"
        for name, image in wanted.items()
        if running.get(name) != image
    ]
    loose = [f"{name} runs {image}" for name, image in running.items() if not is_pinned(image)]
    if loose:
        seen = "; ".join(loose)
        return failed(f"{seen}: a tag that moves, or none", f"name a release; {cluster.apply}")
    if others:
        return failed("; ".join(others), cluster.apply)
    return passed(", ".join(running.values()))


def _containers(rendered: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Give the containers of a rendered deployment's pod."""
    return [
        container
        for manifest in rendered
        if manifest["kind"] == STATEFUL_SET.kind
        for container in manifest["spec"]["template"]["spec"]["containers"]
    ]


def is_pinned(image: str) -> bool:
    """Tell whether an image's name stays with what it means: a digest, or a tag but `latest`."""
    name, _at, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return bool(digest) or tag not in ("", "latest")


def _drift(_spec: Spec, facts: ServerFacts) -> Judgement:
    cluster = in_cluster(facts)
    drifted, hidden, left_out = [], [], []
    for manifest in cluster.wanted:
        ref = ref_of(manifest)
        live = cluster.live.get(ref)
        if isinstance(live, Unseen):
            hidden.append(f"{ref}: {live.reason}")
        elif isinstance(live, NotVisible):
            left_out.append(f"{ref}: {live.reason}")
        elif live is None:
            drifted.append(f"{ref} is not there")
        elif ref.kind == NAMESPACE and not _is_ours(live):
            left_out.append(f"{ref}: others made it, and it is left as it is")
        else:
            found = cluster_drift.differences(manifest, live)
            drifted += [f"{ref}: {difference}" for difference in found]
    if drifted:
        return failed(_first(drifted), cluster.apply)
    if hidden:
        return unknown("; ".join(hidden), "ask for the right to read them, and look again")
    apart = f", apart from {'; '.join(left_out)}" if left_out else ""
    return passed(f"{len(cluster.wanted) - len(left_out)} objects as the spec gives them{apart}")


def _is_ours(namespace: Manifest) -> bool:
    """Tell whether a namespace was made for the deployment, by apply or from the rendered tree."""
    labels = namespace["metadata"].get("labels") or {}
    return labels.get(metadata.MANAGED_BY) == metadata.MANAGER or ownership.is_ours(namespace)


def _first(drifted: list[str]) -> str:
    """Give the first few; annotations, which follow from other fields, come last."""
    drifted.sort(key=lambda one: ".annotations." in one)
    more = len(drifted) - SHOWN_DIFFERENCES
    return "; ".join(drifted[:SHOWN_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")


POD = (
    Check(
        "cluster.pod",
        "the pod runs, is ready, and was not restarted",
        "Each restart is seconds without a server, and its cause may come again.",
        _pod,
    ),
    Check(
        "cluster.image",
        "the images are those of the spec, and pinned",
        "A tag that moves brings another server at any restart, untested and perhaps older.",
        _image,
    ),
    Check(
        "cluster.drift",
        "the objects in the cluster are those that the spec gives",
        "What was changed by hand is undone by the next apply, or was never written down.",
        _drift,
    ),
)
"""Checks on the pod, and on what it is made from."""
