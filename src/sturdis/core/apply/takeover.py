"""Taking over what someone else made: what of it must be so, or its data is lost."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from sturdis.core.apply import ownership
from sturdis.core.apply.facts import Facts
from sturdis.core.cluster import SERVICE, STATEFUL_SET, Manifest, Ref
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

VOLUME = "data"
"""Name of our claim template: the claim is `data-NAME-0`."""

ELSEWHERE = ("--dir", "--appenddirname", "--appendfilename")
"""Options of a server by which its files are not where ours are looked for."""


def objections(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    """Say why the data of the set that is there would not be found by ours."""
    live = facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    if live is None or ownership.is_ours(live):
        return
    if (live["spec"].get("replicas") or 0) > 1:
        yield refused(
            spec, f"it has {live['spec']['replicas']} replicas",
            f"scale it to 1 first, with the data on {metadata.pod_name(spec)}",
        )  # fmt: skip
    templates = [one["metadata"]["name"] for one in live["spec"].get("volumeClaimTemplates") or ()]
    if VOLUME not in templates:
        yield _other_claim(spec, live, templates)
        return
    mounts = [
        (container, mount)
        for container in live["spec"]["template"]["spec"]["containers"]
        for mount in container.get("volumeMounts") or ()
        if mount["name"] == VOLUME
    ]
    for container, mount in mounts:
        if why := _elsewhere(container, mount):
            yield refused(
                spec, why, "move its files to the top of the volume first, and mount that at /data"
            )


def of_a_bare_pod(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    """Say that a pod without a set has not the volume that a new set's pod has.

    The set's controller would try for ever to mend that: a pod's volumes cannot be changed.
    """
    live = facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    if facts.pod is None or live is not None or ownership.controller(facts.pod):
        return
    wanted, pod = metadata.claim_name(spec), metadata.pod_name(spec)
    claims = {
        one["name"]: one["persistentVolumeClaim"]["claimName"]
        for one in facts.pod["spec"].get("volumes") or ()
        if "persistentVolumeClaim" in one
    }
    if claims.get(VOLUME) != wanted:
        held = f"in claim {', '.join(claims.values())}" if claims else "in no claim"
        yield ClusterError(
            "cluster.claim",
            f"pod/{pod} is there and cannot be taken over with its data",
            why=f"its data is {held}; a set's pod has claim {wanted} as volume {VOLUME}, and the "
            "volumes of a pod cannot be changed",
            do=f"save what it holds, then {facts.kubectl} delete pod {pod}, and apply again; or "
            "give the spec another name",
        )


def of_services(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    """Say that clients of a Service would be led away from the data that they use."""
    for ref, live in facts.live.items():
        if ref.kind != SERVICE or live is None or ownership.is_ours(live):
            continue
        others = facts.led_to.get(ref, ())
        if not live["spec"].get("selector"):
            why = "it selects no pods: it leads to where someone says by hand"
        elif isinstance(others, Unseen):
            why = f"to which pods it leads may not be looked at: {others.reason}"
        elif others:
            why = f"it leads to {', '.join(others)}; ours leads to {metadata.pod_name(spec)} alone"
        else:
            continue
        yield ClusterError(
            "cluster.foreign",
            f"{ref} cannot be taken over: its clients would get a server without their data",
            why=why,
            do="deploy under another name beside it, and move the jobs over; or stop what it "
            f"leads to, when nobody needs its data: {facts.kubectl} get pods",
        )


def warnings(spec: Spec, facts: Facts) -> Iterator[str]:
    """Say what is lost with the set that is there, though it may be meant so."""
    live = facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    if live is None or ownership.is_ours(live):
        return
    if release := ownership.helm_release(live):
        yield f"Helm's release {release} made it, and its next upgrade would undo this"
    containers = live["spec"]["template"]["spec"]["containers"]
    words = [word for container in containers for word in words_of(container)]
    if spec.access.password_secret is None and any("requirepass" in word for word in words):
        yield "the server that is there asks for a password; by this spec it would let anyone in"


def words_of(container: Mapping[str, Any]) -> list[str]:
    """Give what a container runs, word by word."""
    return [*(container.get("command") or ()), *(container.get("args") or ())]


def _elsewhere(container: Mapping[str, Any], mount: Mapping[str, Any]) -> str:
    words = words_of(container)
    if mount.get("subPath"):
        return f"its data is in {mount['subPath']} of the volume, ours at its top"
    for option, value in itertools.pairwise((*words, "")):
        is_top = option == "--dir" and value.rstrip("/") == mount["mountPath"].rstrip("/")
        if option in ELSEWHERE and not is_top:
            return f"its server is started with {option} {value}: ours would not find its files"
    return ""


def _other_claim(spec: Spec, live: Manifest, templates: list[str]) -> ClusterError:
    wanted = metadata.claim_name(spec)
    claims = [f"{name}-{metadata.pod_name(spec)}" for name in templates] or [
        one["persistentVolumeClaim"]["claimName"]
        for one in live["spec"]["template"]["spec"].get("volumes") or ()
        if "persistentVolumeClaim" in one
    ]
    where = f"in claim {', '.join(claims)}" if claims else "in no claim: it is lost with the pod"
    return refused(
        spec, f"it keeps its data {where}; ours is {wanted}, and a claim cannot be renamed",
        "deploy under another name beside it, and move the jobs or the files over",
    )  # fmt: skip


def refused(spec: Spec, why: str, do: str) -> ClusterError:
    """Say that the set that is there cannot be taken over with its data."""
    what = f"statefulset/{spec.name} cannot be adopted with its data"
    return ClusterError("cluster.claim", what, why=why, do=do)
