"""Objects that are on their way out, or that another owner keeps: nothing is built on them."""

from collections.abc import Iterator

from sturdis.core.apply import ownership
from sturdis.core.apply.facts import Facts
from sturdis.core.cluster import STATEFUL_SET, Ref
from sturdis.core.errors import ClusterError
from sturdis.core.render import metadata
from sturdis.core.spec import Spec


def objections(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    """Say why neither the pod nor the claim that are there can be gone on with."""
    yield from _of_the_pod(spec, facts)
    yield from _of_the_claim(spec, facts)


def _of_the_pod(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    """A pod that another controller keeps cannot be labelled into ours."""
    if facts.pod is None or facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace)):
        return
    if owner := ownership.controller(facts.pod):
        yield ClusterError(
            "cluster.foreign",
            f"pod/{metadata.pod_name(spec)} is there and belongs to {owner}",
            why="the StatefulSet cannot make its own pod beside it",
            do=f"remove {owner} first, or give the spec another name",
        )


def _of_the_claim(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    if facts.claim is None or not facts.claim["metadata"].get("deletionTimestamp"):
        return
    copy = f"{facts.kubectl} exec {metadata.pod_name(spec)} -c redis -- tar -C /data -cf - ."
    yield ClusterError(
        "cluster.claim",
        f"claim {metadata.claim_name(spec)} is being deleted, and only its pod still holds it",
        why="when that pod ends, so does the volume with the data",
        do=f"let the pod run, and copy the data: {copy} > data.tar",
    )
