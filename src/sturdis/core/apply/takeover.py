"""Taking over a StatefulSet that someone else made: what of it must be so, or its data is lost."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from sturdis.core.apply import ownership
from sturdis.core.apply.facts import Facts
from sturdis.core.cluster import STATEFUL_SET, Manifest, Ref
from sturdis.core.errors import ClusterError
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
        yield _refused(
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
            yield _refused(
                spec, why, "move its files to the top of the volume first, and mount that at /data"
            )


def warnings(spec: Spec, facts: Facts) -> Iterator[str]:
    """Say what is lost with the set that is there, though it may be meant so."""
    live = facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    if live is None or ownership.is_ours(live):
        return
    if release := ownership.helm_release(live):
        yield f"Helm's release {release} made it, and its next upgrade would undo this"
    words = [
        word
        for container in live["spec"]["template"]["spec"]["containers"]
        for word in (*(container.get("command") or ()), *(container.get("args") or ()))
    ]
    if spec.access.password_secret is None and any("requirepass" in word for word in words):
        yield "the server that is there asks for a password; by this spec it would let anyone in"


def _elsewhere(container: Mapping[str, Any], mount: Mapping[str, Any]) -> str:
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
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
    return _refused(
        spec, f"it keeps its data {where}; ours is {wanted}, and a claim cannot be renamed",
        "deploy under another name beside it, and move the jobs or the files over",
    )  # fmt: skip


def _refused(spec: Spec, why: str, do: str) -> ClusterError:
    what = f"statefulset/{spec.name} cannot be adopted with its data"
    return ClusterError("cluster.claim", what, why=why, do=do)
