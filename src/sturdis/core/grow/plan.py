"""What growing does: decided from what is there, so that a run cut short is completed by the next.

    claim asks for less         grow it
    volume has less             wait until it has grown
    set's template says less    make the set anew, its pod runs on
    set gone, its pod there     make the set that it was made from

Each line is skipped where it holds already; the claim comes first, since a storage that cannot grow
must be found out while the set still is what it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sturdis.core import spec as specs
from sturdis.core import units
from sturdis.core.apply import ownership
from sturdis.core.apply import plan as plans
from sturdis.core.apply.difference import Change
from sturdis.core.apply.facts import Facts, Right
from sturdis.core.apply.plan import Action, Plan, Step
from sturdis.core.cluster import CLAIM, POD, STATEFUL_SET, Manifest, Ref
from sturdis.core.facts import Unseen
from sturdis.core.grow import claims, sets
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

REQUEST = "spec.resources.requests.storage"


@dataclass(frozen=True)
class Growth:
    """All that is done."""

    kubectl: str
    size: str
    """What the volume is to have."""
    claim: Step | None
    """None: it asks for that already."""
    waits: bool
    """Whether the volume has less now."""
    stateful_set: Step | None
    """None: it is as it should be, or not ours to write."""
    keeper: str = ""
    """By what the set is kept as it is in Git: its new size has to be committed there."""
    warnings: Sequence[str] = ()

    @property
    def changing(self) -> Sequence[Step]:
        """The steps after which the cluster is not the same."""
        return [step for step in (self.claim, self.stateful_set) if step is not None]

    @property
    def is_done(self) -> bool:
        """Tell whether there is nothing to do, not even to wait."""
        return not self.changing and not self.waits

    def before_the_wait(self) -> Plan:
        """Give what is done first."""
        return Plan(self.kubectl, [self.claim] if self.claim else [])

    def after_the_wait(self) -> Plan:
        """Give what is done when the volume has grown."""
        return Plan(self.kubectl, [self.stateful_set] if self.stateful_set else [])


def decide(
    spec: Spec, rendered: Manifest, facts: Facts, former: Manifest | Unseen | None
) -> Growth:
    """Say what has to be done, where nothing stands against it.

    Args:
        spec: The deployment; its size is what the volume is to have.
        rendered: Its StatefulSet.
        facts: What is there.
        former: The template that the pod was made from, where its set is gone; None: not known.
    """
    claim, wanted = facts.claim or {}, specs.storage_size(spec)
    keeper = kept_by(facts)
    step = None if keeper else _of_the_set(spec, rendered, facts, former)
    return Growth(
        kubectl=facts.kubectl,
        size=units.canonical_bytes(wanted),
        claim=_of_the_claim(spec, claim) if claims.asked(claim) < wanted else None,
        waits=not claims.is_grown(claim, facts.pod, wanted),
        stateful_set=step,
        keeper="" if set_of(spec, facts) is not None and not _is_behind(spec, facts) else keeper,
        warnings=tuple(_warnings(spec, rendered, facts, former, step)),
    )


def kept_by(facts: Facts) -> str:
    """Say by what the deployment is kept as it is in Git; empty: by nothing that is seen."""
    found = (ownership.git_keeper(one, facts.applications) for one in facts.live.values() if one)
    return next(filter(None, found), "")


def set_of(spec: Spec, facts: Facts) -> Manifest | None:
    """Give the deployment's set as it is."""
    return facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))


def is_orphaned(spec: Spec, facts: Facts) -> bool:
    """Tell whether the pod has no set any more: growing was cut short between two steps."""
    return facts.pod is not None and set_of(spec, facts) is None


def rights(spec: Spec, growth: Growth) -> list[Right]:
    """Give what the user must be allowed to do."""
    here = spec.namespace
    found = plans.rights(growth.changing)
    if growth.stateful_set is not None:
        found += [Right(verb, STATEFUL_SET, here) for verb in ("create", "patch")]
    if not growth.is_done:
        found += [Right("watch", kind, here) for kind in (CLAIM, STATEFUL_SET, POD)]
    return list(dict.fromkeys(found))


def _of_the_claim(spec: Spec, claim: Manifest) -> Step:
    size = units.canonical_bytes(specs.storage_size(spec))
    uid = claim["metadata"]["uid"]
    changes = {"metadata": {"uid": uid}, "spec": {"resources": {"requests": {"storage": size}}}}
    before = units.canonical_bytes(claims.asked(claim))
    ref = Ref(CLAIM, metadata.claim_name(spec), spec.namespace)
    return Step(Action.GROW, ref, changes, uid, (Change(REQUEST, before, size),))


def _of_the_set(
    spec: Spec, rendered: Manifest, facts: Facts, former: Manifest | Unseen | None
) -> Step | None:
    ref, live = Ref(STATEFUL_SET, spec.name, spec.namespace), set_of(spec, facts)
    if live is None:
        if facts.pod is None:
            return None
        template = former if isinstance(former, dict) else None
        note = "its pod runs and has no set: growing was cut short here"
        return Step(Action.CREATE, ref, sets.restored(rendered, template), note=note)
    if not _is_behind(spec, facts) and not live["metadata"].get("deletionTimestamp"):
        return None
    wanted, says = specs.storage_size(spec), claims.template_size(live)
    changes = (
        Change(
            f"spec.volumeClaimTemplates[data].{REQUEST}",
            units.canonical_bytes(says),
            units.canonical_bytes(wanted),
        ),
    )
    note = "its volume template cannot be changed; its pod runs on"
    made = sets.regrown(live, wanted)
    return Step(Action.RECREATE, ref, made, live["metadata"]["uid"], changes, note=note)


def _is_behind(spec: Spec, facts: Facts) -> bool:
    """Tell whether the set's claim template says another size than the spec."""
    live = set_of(spec, facts)
    return live is not None and claims.template_size(live) != specs.storage_size(spec)


def _warnings(
    spec: Spec,
    rendered: Manifest,
    facts: Facts,
    former: Manifest | Unseen | None,
    step: Step | None,
) -> Iterator[str]:
    if isinstance(facts.storage_class, Unseen):
        yield (
            f"StorageClass {spec.storage.storage_class} may not be looked at: whether its volumes "
            "can grow shows when this one is asked to"
        )
    if step is None or step.manifest is None:
        if facts.pod is None and set_of(spec, facts) is None:
            yield "there is no StatefulSet: sturdis apply makes it, when the claim has grown"
        return
    if step.action is Action.CREATE and not isinstance(former, dict):
        yield "what its pod was made from is not known: it is replaced if the spec says otherwise"
        return
    if others := sets.other_changes(rendered, step.manifest):
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        yield f"the spec changes more than the size, and sturdis apply brings it: {others[0]}{more}"
