"""What applying does, step by step: decided from what is there, shown, agreed to, then executed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from sturdis.core import cluster, cluster_drift
from sturdis.core.apply import difference, ownership
from sturdis.core.apply.difference import Change
from sturdis.core.apply.facts import Facts, Right
from sturdis.core.cluster import NAMESPACE, POD, SERVICE, STATEFUL_SET, Manifest, Ref, ref_of
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

IMMUTABLE = ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates")
"""Fields of a StatefulSet's spec that cannot be changed (Kubernetes API, StatefulSetSpec)."""


FILLED_IN = {"podManagementPolicy": "OrderedReady"}
"""What the API server writes where nothing is said."""

REVISION = "controller-revision-hash"
"""Label of a pod: of which revision of its set it is (Kubernetes, StatefulSet controller)."""


class Action(Enum):
    """What is done to one object."""

    CREATE = "create"
    CHANGE = "change"
    RECREATE = "re-create"
    LABEL = "label"
    GROW = "grow"
    REPLACE = "replace"
    UNCHANGED = "unchanged"
    KEEP = "keep"
    SKIP = "skip"


CHANGING = (
    Action.CREATE, Action.CHANGE, Action.RECREATE, Action.LABEL, Action.GROW, Action.REPLACE,
)  # fmt: skip

MERGED = (Action.LABEL, Action.GROW)
"""What changes a part of an object that someone else made: a pod, a claim."""

TRIED = (Action.CREATE, Action.CHANGE, Action.RECREATE)
"""What a dry run tells more of."""


@dataclass(frozen=True)
class Step:
    """One thing that is done to one object, and why it is nothing more."""

    action: Action
    ref: Ref
    manifest: Manifest | None = None
    """What is applied, or merged into a pod or claim."""
    uid: str | None = None
    """Of the object that is deleted; another one of its name is left alone."""
    changes: Sequence[Change] = ()
    note: str = ""
    force: bool = False
    """Take over fields that belong to others."""

    @property
    def is_change(self) -> bool:
        """Tell whether the cluster is not the same afterwards."""
        return self.action in CHANGING


@dataclass(frozen=True)
class Plan:
    """All steps, in their order."""

    kubectl: str
    steps: Sequence[Step]
    warnings: Sequence[str] = ()
    """What admission warns of, and what could not be looked at."""

    @property
    def changing(self) -> Sequence[Step]:
        """The steps after which the cluster is not the same."""
        return [step for step in self.steps if step.is_change]

    @property
    def only_creates(self) -> bool:
        """Whether nothing that is there is touched."""
        return all(step.action is Action.CREATE for step in self.changing)


def intend(
    spec: Spec, objects: Sequence[Manifest], facts: Facts, *, adopt: bool
) -> tuple[Step, ...]:
    """Say what each object needs, as far as that is known without a trial.

    A step `CHANGE` has no changes yet: whether there are any, a dry run tells.

    Args:
        spec: The deployment.
        objects: Its objects, in the order in which they are applied.
        facts: What is there, and nothing stands against it.
        adopt: Whether what others made is taken over.
    """
    return tuple(_intentions(spec, objects, facts, adopt=adopt))


def _intentions(
    spec: Spec, objects: Sequence[Manifest], facts: Facts, *, adopt: bool
) -> Iterator[Step]:
    # First, so that neither the Services nor the set lose sight of the pod for a moment.
    if facts.pod is not None and (label := _label(spec, facts.pod, facts)):
        yield label
    for manifest in objects:
        ref, live = ref_of(manifest), facts.live.get(ref_of(manifest))
        if ref.kind == NAMESPACE:
            yield _of_the_namespace(manifest, facts)
        elif ref.kind in facts.unserved:
            yield Step(
                Action.SKIP, ref, note=f"this cluster does not know {ref.kind.kind} (no such CRD)"
            )
        elif ref.kind == STATEFUL_SET:
            yield _of_the_set(manifest, facts, adopt=adopt)
        elif live is None:
            yield Step(Action.CREATE, ref, manifest)
        elif ref.kind == SERVICE and _is_headless(live) != _is_headless(manifest):
            note = "whether a Service has an address cannot be changed; it is gone for a moment"
            yield Step(Action.RECREATE, ref, manifest, _uid(live), note=note)
        else:
            yield Step(Action.CHANGE, ref, manifest, force=adopt)


def _of_the_namespace(manifest: Manifest, facts: Facts) -> Step:
    ref, live = ref_of(manifest), facts.namespace
    if isinstance(live, Unseen):
        return Step(Action.KEEP, ref, note="it may not be looked at, and is taken to be there")
    if live is None:
        return Step(Action.CREATE, ref, manifest)
    if not ownership.is_ours(live):
        return Step(Action.KEEP, ref, note="it is there, and others made it")
    return Step(Action.CHANGE, ref, manifest)


def _of_the_set(manifest: Manifest, facts: Facts, *, adopt: bool) -> Step:
    ref, live = ref_of(manifest), facts.live.get(ref_of(manifest))
    if live is None:
        return Step(Action.CREATE, ref, manifest)
    fixed = immutable_changes(manifest, live)
    if fixed or not ownership.is_ours(live) or live["metadata"].get("deletionTimestamp"):
        why = f"{', '.join(fixed)} cannot be changed; " if fixed else ""
        note = f"{why}its pod runs on until the new set replaces it, its claim stays"
        return Step(Action.RECREATE, ref, manifest, _uid(live), note=note, force=adopt)
    return Step(Action.CHANGE, ref, manifest, force=adopt)


def immutable_changes(manifest: Manifest, live: Manifest) -> list[str]:
    """Name the fields by which a set would have to change, and cannot."""
    wanted, found = FILLED_IN | manifest["spec"], FILLED_IN | live["spec"]
    return [
        field
        for field in IMMUTABLE
        if any(cluster_drift.differences(_bare(wanted.get(field)), _bare(found.get(field))))
    ]


def _bare(value: Any) -> Any:
    """Leave out of claim templates what the API server fills in, or others label."""
    if not isinstance(value, list):
        return value
    return [{"name": one["metadata"]["name"], "spec": one["spec"]} for one in value]


def _label(spec: Spec, pod: Manifest, facts: Facts) -> Step | None:
    """Give the step after which the new set finds the pod that is there."""
    live = facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    if live is not None and ownership.is_ours(live):
        return None
    wanted, labels = metadata.selector(spec), pod["metadata"].get("labels") or {}
    missing = {key: value for key, value in wanted.items() if labels.get(key) != value}
    if not missing:
        return None
    changes = tuple(
        Change(f"metadata.labels[{key}]", labels.get(key, difference.NOTHING), value)
        for key, value in missing.items()
    )
    ref = Ref(POD, metadata.pod_name(spec), spec.namespace)
    note = "so that the new set takes it over"
    patch = {"metadata": {"labels": missing, "uid": _uid(pod)}}
    return Step(Action.LABEL, ref, patch, _uid(pod), changes, note)


def tried(step: Step, live: Manifest | None, result: Manifest) -> Step:
    """Complete a step by what a dry run of it gave.

    Args:
        step: Of the actions `CREATE`, `CHANGE` or `RECREATE`.
        live: The object as it is.
        result: What it would be.
    """
    if live is None or step.action is Action.CREATE:
        return step
    foreign = not ownership.is_ours(live)
    changes = difference.differences(live, result, foreign=foreign)
    if step.action is not Action.CHANGE or changes:
        return replace(step, changes=changes)
    if ownership.is_ours(live):
        return Step(Action.UNCHANGED, step.ref)
    return replace(step, note="only who keeps it changes")


def untried(
    step: Step, live: Manifest | None, refusal: ClusterError, *, is_housed: bool
) -> Step | None:
    """Give what is done of a step whose trial was refused; None: the refusal stands.

    Args:
        step: That was tried.
        live: The object as it is.
        refusal: What the API server said.
        is_housed: Whether the step's namespace is there. Where it is not the trial was made in
            another one, whose policies say nothing about this.
    """
    if step.ref.kind == NAMESPACE and live is not None and refusal.code == "cluster.forbidden":
        found = next(cluster_drift.differences(step.manifest, live), None)
        if found is None:
            return Step(Action.UNCHANGED, step.ref)
        return Step(Action.KEEP, step.ref, note=f"{found}; you may not change it")
    is_elsewhere = step.ref.kind.namespaced and not is_housed
    if is_elsewhere and refusal.code in {"cluster.forbidden", "cluster.refused"}:
        return replace(
            step, note=f"not tried beforehand, its namespace is not there: {refusal.why}"
        )
    return None


def complete(spec: Spec, facts: Facts, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Give all steps: those that were tried, and the pod replaced that would block a new one."""
    return (*steps, *_blocked(spec, facts, steps))


def rights(steps: Sequence[Step]) -> list[Right]:
    """Give what the user must be allowed to do for steps that are more than applying."""
    found = []
    for step in steps:
        if step.action in {Action.RECREATE, Action.REPLACE}:
            found.append(Right("delete", step.ref.kind, step.ref.namespace))
        if step.action is Action.RECREATE:
            found += [
                Right(verb, step.ref.kind, step.ref.namespace) for verb in ("create", "watch")
            ]
        if step.action in MERGED:
            found.append(Right("patch", step.ref.kind, step.ref.namespace))
    return found


def _blocked(spec: Spec, facts: Facts, steps: Sequence[Step]) -> Iterator[Step]:
    """Replace a pod that is not ready: a set waits for it before it brings a new one.

    Kubernetes documents it as a known issue: StatefulSets, Forced rollback.
    """
    pod = facts.pod
    if pod is None or cluster.is_ready(pod) or pod["metadata"].get("deletionTimestamp"):
        return
    live = facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    is_rolled = live is not None and not is_current(live, pod)
    is_rolled |= any(
        step.ref.kind == STATEFUL_SET
        and step.action in {Action.CHANGE, Action.RECREATE}
        and any(change.path.startswith("spec.template") for change in step.changes)
        for step in steps
    )
    if is_rolled:
        ref = Ref(POD, metadata.pod_name(spec), spec.namespace)
        note = "it does not serve, and the set would wait for it before it makes the new one"
        yield Step(Action.REPLACE, ref, uid=_uid(pod), note=note)


def is_current(stateful_set: Manifest, pod: Manifest) -> bool:
    """Tell whether a pod is what its set makes now, as far as the set's controller has seen."""
    made = (pod["metadata"].get("labels") or {}).get(REVISION)
    return bool(made) and made == (stateful_set.get("status") or {}).get("updateRevision")


def _is_headless(service: Manifest) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


def _uid(manifest: Manifest) -> str:
    return str(manifest["metadata"]["uid"])
