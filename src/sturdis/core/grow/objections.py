"""What stands against growing a volume, found before anything is changed."""

from collections.abc import Iterator

from sturdis.core import spec as specs
from sturdis.core import units
from sturdis.core.apply import objections, ownership
from sturdis.core.apply.facts import Facts
from sturdis.core.cluster import Manifest
from sturdis.core.errors import ClusterError
from sturdis.core.grow import claims, plan
from sturdis.core.render import metadata
from sturdis.core.spec import Spec


def refuse(spec: Spec, facts: Facts) -> None:
    """Refuse where growing would fail, shrink, or be undone.

    Args:
        spec: Its size is what the volume is to have.
        facts: What is there.

    Raises:
        ClusterError: The first of what stands against it.
    """
    found = next(_objections(spec, facts), None)
    if found is not None:
        raise found


def _objections(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    claim = facts.claim
    if claim is None:
        yield ClusterError(
            "cluster.not_found",
            f"claim {metadata.claim_name(spec)} is not there: nothing can grow",
            why=f"namespace {spec.namespace} has no claim of that name",
            do="sturdis apply    makes it, of the size that the spec says",
        )
        return
    yield from _of_others(spec, facts)
    yield from objections.of_another_class(spec, claim)
    if claims.asked(claim) > specs.storage_size(spec):
        yield objections.of_a_larger_claim(spec, claims.asked(claim))
    if claims.is_grown(claim, facts.pod, specs.storage_size(spec)):
        return
    yield from _unbound(facts, claim)
    if claims.asked(claim) < specs.storage_size(spec):
        yield from _of_the_class(spec, facts)


def _of_others(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    live = plan.set_of(spec, facts)
    if live is None:
        yield from objections.of_a_foreign_pod(spec, facts)
    elif owner := ownership.controller(live):
        yield ClusterError(
            "cluster.foreign",
            f"statefulset/{spec.name} belongs to {owner}",
            why="its controller would undo what is made anew past it",
            do=f"say the size there: {facts.kubectl} edit {owner.lower()}",
        )
    elif not plan.kept_by(facts) and not ownership.is_ours(live):
        patch = objections.how_to_grow_by_hand(spec, facts)
        yield ClusterError(
            "cluster.foreign",
            f"statefulset/{spec.name} is there and was not applied by sturdis apply",
            why="it would be made anew, and others wrote it",
            do=f"{patch}, then sturdis apply --adopt",
        )


def _unbound(facts: Facts, claim: Manifest) -> Iterator[ClusterError]:
    name, phase = claim["metadata"]["name"], (claim.get("status") or {}).get("phase", "Pending")
    if phase != "Bound":
        yield ClusterError(
            "cluster.not_grown",
            f"claim {name} is {phase}: it has no volume that could grow",
            why="only a claim that is bound to its volume can be grown",
            do=f"{facts.kubectl} describe pvc {name}    says what it waits for",
        )


def _of_the_class(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    found, name = facts.storage_class, spec.storage.storage_class
    if found is None:
        yield ClusterError(
            "cluster.storage_class",
            f"the cluster has no StorageClass {name}",
            why="a volume grows only where its class says that it may",
            do=f"make the class {name} anew, with allowVolumeExpansion: true",
        )
    elif isinstance(found, dict) and not found.get("allowVolumeExpansion"):
        driver = found.get("provisioner", "its driver")
        patch = f"kubectl patch storageclass {name} -p '{{\"allowVolumeExpansion\":true}}'"
        yield ClusterError(
            "cluster.not_grown",
            f"StorageClass {name} does not let its volumes grow",
            why="it does not say allowVolumeExpansion: true",
            do=f"if {driver} can: {patch}; if not, move the jobs to a new deployment of "
            f"{units.canonical_bytes(specs.storage_size(spec))}",
        )
