"""From what was seen of a deployment to what is wrong with it."""

from collections.abc import Iterator, Sequence

from sturdis.core.doctor import containers, nodes, server
from sturdis.core.doctor.diagnosis import Diagnoses, Diagnosis, ranked
from sturdis.core.doctor.facts import Sight
from sturdis.core.facts import Unseen
from sturdis.core.spec import Spec

EXPLAINED = {"probe.startup": "pod.crash"}
"""A diagnosis that says why another one is there."""


def judge(spec: Spec, sight: Sight) -> Diagnoses:
    """Give all that is wrong, the worst first."""
    found = tuple(_found(spec, sight))
    ids = {one.id for one in found}
    repeated = {other for one, other in EXPLAINED.items() if one in ids}
    kept = ranked([one for one in found if one.id not in repeated])
    unseen = _told_once((*sight.unseen, *_unseen(spec, sight, is_lost=_is_lost(sight))))
    return Diagnoses(sight.target, kept, unseen)


def _found(spec: Spec, sight: Sight) -> Iterator[Diagnosis]:
    yield from nodes.diagnose(sight)
    if _is_lost(sight):  # what is shown of its containers is from before
        return
    yield from containers.ended(sight)
    yield from containers.not_serving(sight)
    yield from server.diagnose(spec, sight)


def _unseen(spec: Spec, sight: Sight, *, is_lost: bool) -> Iterator[Unseen]:
    if isinstance(sight.node, Unseen):
        yield sight.node
    if not is_lost:
        yield from server.unseen(spec, sight)


def _told_once(unseen: Sequence[Unseen]) -> tuple[Unseen, ...]:
    """Leave out what repeats another, as each setting does where all settings are refused."""
    reasons = dict.fromkeys(one.reason for one in unseen)
    return tuple(
        Unseen(reason)
        for reason in reasons
        if not any(other != reason and other in reason for other in reasons)
    )


def _is_lost(sight: Sight) -> bool:
    """Tell whether the pod is on a node that does not report."""
    node = sight.node
    return isinstance(node, dict) and nodes.is_silent(node)
