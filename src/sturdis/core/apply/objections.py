"""What stands against applying a deployment, found before anything is changed."""

from collections.abc import Iterator, Sequence

from sturdis.core import spec as specs
from sturdis.core import units
from sturdis.core.apply import leaving, ownership, persistence, server, takeover
from sturdis.core.apply.facts import Facts, Right
from sturdis.core.cluster import NAMESPACE, SERVICE, STATEFUL_SET, Manifest, Ref
from sturdis.core.errors import ClusterError, SturdisError
from sturdis.core.facts import Unseen
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

OLDEST = (1, 27)
"""Oldest API server that keeps every field: persistentVolumeClaimRetentionPolicy, by default
since 1.27 (Kubernetes, feature gate StatefulSetAutoDeletePVC)."""

RIGHTS_SHOWN = 8
"""Most missing rights that an error names; the rest is counted."""


def refuse_old(version: tuple[int, int]) -> None:
    """Refuse an API server that would drop fields.

    Raises:
        ClusterError: `cluster.too_old`.
    """
    if version < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise ClusterError(
            "cluster.too_old",
            f"the API server is of Kubernetes {version[0]}.{version[1]}",
            why="it would drop persistentVolumeClaimRetentionPolicy, which keeps the data",
            do=f"upgrade the cluster to {wanted} or newer",
        )


def refuse_unallowed(missing: Sequence[Right], kubectl: str) -> None:
    """Refuse to begin what the user may not finish.

    Args:
        missing: Rights that are needed and not there.
        kubectl: What to type before a command of kubectl.

    Raises:
        ClusterError: `cluster.forbidden`.
    """
    if not missing:
        return
    first, more = missing[0], len(missing) - RIGHTS_SHOWN
    named = "; ".join(map(str, missing[:RIGHTS_SHOWN])) + (f"; and {more} more" if more > 0 else "")
    verb, _, what = str(first).partition(" ")
    raise ClusterError(
        "cluster.forbidden",
        f"the user of this context may not {verb} {what}",
        why=f"not allowed, and needed: {named}; nothing was changed",
        do=f"{kubectl} auth can-i --list    shows what is; ask for the rest",
    )


def refuse(spec: Spec, facts: Facts, *, adopt: bool) -> None:
    """Refuse where applying would fail, harm, or be undone.

    Args:
        spec: What is to be applied.
        facts: What is there.
        adopt: Whether what others made may be taken over.

    Raises:
        ClusterError: The first of what stands against it.
        DataError: `data.newer_server`: the server could not read the data.
    """
    found = next(_objections(spec, facts, adopt=adopt), None)
    if found is not None:
        raise found


def _objections(spec: Spec, facts: Facts, *, adopt: bool) -> Iterator[SturdisError]:
    there = {ref: one for ref, one in facts.live.items() if one and ref.kind != NAMESPACE}
    yield from _of_the_namespace(spec, facts)
    yield from _kept_in_git(there, facts)
    yield from _kept_by_an_owner(there, facts)
    yield from leaving.objections(spec, facts)
    yield from takeover.of_a_bare_pod(spec, facts)
    if not adopt:
        yield from _foreign(there)
        yield from of_a_foreign_pod(spec, facts)
    yield from takeover.of_services(spec, facts)
    yield from takeover.objections(spec, facts)
    yield from persistence.objections(spec, facts)
    yield from _of_the_claim(spec, facts)
    yield from server.objections(spec, facts)
    yield from _of_the_secret(spec, facts)


def _of_the_namespace(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    if isinstance(facts.namespace, dict) and facts.namespace["metadata"].get("deletionTimestamp"):
        yield ClusterError(
            "cluster.refused",
            f"namespace {spec.namespace} is being deleted",
            why="nothing can be made in it meanwhile",
            do=f"{facts.kubectl} wait --for=delete namespace/{spec.namespace}    and try again",
        )


def _kept_in_git(there: dict[Ref, Manifest], facts: Facts) -> Iterator[ClusterError]:
    for ref, one in there.items():
        if keeper := ownership.git_keeper(one, facts.applications):
            yield ClusterError(
                "cluster.gitops",
                f"{ref} is kept as it is in Git",
                why=f"by {keeper}, which would undo what is applied past it",
                do="sturdis render -o DIR, and commit what it writes to that repository",
            )


def _kept_by_an_owner(there: dict[Ref, Manifest], facts: Facts) -> Iterator[ClusterError]:
    for ref, one in there.items():
        if owner := ownership.controller(one):
            kept = f"{owner.lower()} --cascade=orphan"
            yield ClusterError(
                "cluster.foreign",
                f"{ref} belongs to {owner}",
                why="its controller would undo what is applied past it",
                do=f"let it go first: {facts.kubectl} delete {kept}, then sturdis apply --adopt",
            )


def _foreign(there: dict[Ref, Manifest]) -> Iterator[ClusterError]:
    found = [(ref, one) for ref, one in there.items() if not ownership.is_ours(one)]
    found.sort(key=lambda pair: pair[0].kind not in {STATEFUL_SET, SERVICE})  # what tells most
    if found:
        names = ", ".join(f"{ref} (by {_makers(one)})" for ref, one in found)
        yield ClusterError(
            "cluster.foreign",
            f"{found[0][0]} is there and was not applied by sturdis apply",
            why=names,
            do="sturdis apply --adopt    shows what would change, and takes them over; "
            "or give the spec another name or namespace",
        )


def _makers(manifest: Manifest) -> str:
    if release := ownership.helm_release(manifest):
        return f"Helm, release {release}"
    return ", ".join(ownership.owners(manifest)) or "someone"


def of_a_foreign_pod(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    """A pod of that name that no set of that name keeps stands in the new one's way."""
    stateful_set = facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    if facts.pod is None or stateful_set is not None:
        return
    owner = ownership.controller(facts.pod)
    labels = facts.pod["metadata"].get("labels") or {}
    if owner or not metadata.selector(spec).items() <= labels.items():
        yield ClusterError(
            "cluster.foreign",
            f"pod/{metadata.pod_name(spec)} is there and belongs to {owner or 'no set'}",
            why="the StatefulSet cannot make its own pod beside it",
            do="sturdis apply --adopt    takes it over; or delete it first",
        )


def _of_the_claim(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    name, claim = metadata.claim_name(spec), facts.claim
    if claim is None:
        if facts.storage_class is None:
            yield ClusterError(
                "cluster.storage_class",
                f"the cluster has no StorageClass {spec.storage.storage_class}",
                why=f"claim {name} would wait for it for ever",
                do="kubectl get storageclass    names those there are; "
                "write one as storage.class into the spec",
            )
        return
    yield from of_another_class(spec, claim)
    has = units.parse_bytes(claim["spec"]["resources"]["requests"]["storage"])
    if has > specs.storage_size(spec):
        yield of_a_larger_claim(spec, has)
    elif has < specs.storage_size(spec):
        yield _of_a_smaller_claim(spec, facts, has)


def of_another_class(spec: Spec, claim: Manifest) -> Iterator[ClusterError]:
    """Say that a claim is not of the spec's class, where it is not."""
    if (found := claim["spec"].get("storageClassName", "")) != spec.storage.storage_class:
        yield ClusterError(
            "cluster.claim",
            f"claim {metadata.claim_name(spec)} is of class {found or 'none'}",
            why=f"the spec says {spec.storage.storage_class}; the class of a claim never changes",
            do=f"write class: {found or '…'} below storage into the spec, or move the data to a "
            "new deployment",
        )


def of_a_larger_claim(spec: Spec, has: int) -> ClusterError:
    """Say that a claim asks for `has` bytes, which are more than the spec's."""
    return ClusterError(
        "cluster.claim",
        _sizes(spec, has),
        why="a volume never shrinks",
        do=f"write size: {units.canonical_bytes(has)} below storage into the spec",
    )


def _of_a_smaller_claim(spec: Spec, facts: Facts, has: int) -> ClusterError:
    live = facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    by_hand = live is not None and not ownership.is_ours(live)
    grow = how_to_grow_by_hand(spec, facts) if by_hand else "sturdis grow"
    return ClusterError(
        "cluster.claim",
        _sizes(spec, has),
        why="a StatefulSet does not grow the claim that it has made",
        do=f"{grow}, then apply again",
    )


def _sizes(spec: Spec, has: int) -> str:
    asked = units.canonical_bytes(specs.storage_size(spec))
    name = metadata.claim_name(spec)
    return f"claim {name} asks for {units.canonical_bytes(has)}, the spec for {asked}"


def how_to_grow_by_hand(spec: Spec, facts: Facts) -> str:
    """Give the command that grows the claim of a set that is not ours."""
    asked = units.canonical_bytes(specs.storage_size(spec))
    patch = f'{{"spec":{{"resources":{{"requests":{{"storage":"{asked}"}}}}}}}}'
    return f"{facts.kubectl} patch pvc {metadata.claim_name(spec)} --type=merge -p '{patch}'"


def _of_the_secret(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    secret, keys = spec.access.password_secret, facts.secret_keys
    if secret is None or isinstance(keys, Unseen):
        return
    wanted = (metadata.PASSWORD_KEY, metadata.EXPORTER_KEY, metadata.STURDIS_KEY)
    missing = [key for key in wanted if key not in (keys or ())]
    if missing:
        yield ClusterError(
            "cluster.secret",
            f"Secret {secret} {'is not there' if keys is None else 'lacks ' + ', '.join(missing)}",
            why="the server would not start without its passwords: they are in no spec",
            do=how_to_make_it(spec, facts),
        )


def how_to_make_it(spec: Spec, facts: Facts) -> str:
    """Give the commands that make the Secret with fresh passwords, which no one sees."""
    keys = f"{metadata.PASSWORD_KEY} {metadata.EXPORTER_KEY} {metadata.STURDIS_KEY}"
    name = spec.access.password_secret
    made = (
        f'for key in {keys}; do echo "$key=$(openssl rand -hex 32)"; done | '
        f"{facts.kubectl} create secret generic {name} --from-env-file=/dev/stdin"
    )
    if facts.namespace is None:
        return f"{facts.kubectl} create namespace {spec.namespace} && {made}"
    return made if facts.secret_keys is None else f"{facts.kubectl} delete secret {name} && {made}"
