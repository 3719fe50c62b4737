"""From what was seen of a deployment to what is wrong with it."""

from collections.abc import Iterator, Sequence

from sturdis.core.doctor import containers, cut_short, nodes, running, server
from sturdis.core.doctor.damage import Files
from sturdis.core.doctor.diagnosis import Diagnoses, Diagnosis, ranked
from sturdis.core.doctor.facts import Sight
from sturdis.core.doctor.running import ServerSight
from sturdis.core.facts import NotVisible, ServerFacts, Unseen
from sturdis.core.spec import Spec

EXPLAINED = {"probe.startup": "pod.crash", "disk.slow": "aof.slow_disk"}
"""A diagnosis that says why another one is there."""

IN_THE_POD = NotVisible("the files are in the pod")


def judge(spec: Spec, sight: Sight) -> Diagnoses:
    """Give all that is wrong, the worst first."""
    unseen = (*sight.unseen, *_unseen(spec, sight, is_lost=_is_lost(sight)))
    return Diagnoses(sight.target, _kept(tuple(_found(spec, sight))), _told_once(unseen))


def judge_server(spec: Spec, sight: ServerSight) -> Diagnoses:
    """Give all that is wrong with a server at an address, the worst first."""
    facts, live = sight.server, sight.live
    found = (
        *running.of_files(sight.files, facts.cli),
        *cut_short.diagnose(facts, sight.files, sight.log, sight.doctor),
        *running.diagnose(spec, facts, live, sight.doctor),
    )
    unseen = (*running.unseen(spec, facts, live), *running.unseen_files(sight.files))
    return Diagnoses(sight.target, _kept(found), _told_once(unseen))


def judge_files(target: str, files: Files | NotVisible | Unseen) -> Diagnoses:
    """Give all that is wrong with a data folder, the worst first."""
    unseen = [files] if isinstance(files, NotVisible) else running.unseen_files(files)
    reasons = tuple(Unseen(one.reason) for one in unseen)
    return Diagnoses(target, _kept(running.of_files(files, "sturdis cli")), reasons)


def _kept(found: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    ids = {one.id for one in found}
    repeated = {other for one, other in EXPLAINED.items() if one in ids}
    return ranked([one for one in found if one.id not in repeated])


def _found(spec: Spec, sight: Sight) -> Iterator[Diagnosis]:
    yield from nodes.diagnose(sight)
    if _is_lost(sight):  # what is shown of its containers is from before
        return
    yield from containers.ended(sight)
    yield from containers.not_serving(sight)
    yield from server.diagnose(sight)
    if isinstance(sight.server, ServerFacts):
        yield from cut_short.diagnose(sight.server, IN_THE_POD, sight.log, sight.doctor)
        yield from running.diagnose(spec, sight.server, sight.live, sight.doctor)


def _unseen(spec: Spec, sight: Sight, *, is_lost: bool) -> Iterator[Unseen]:
    if isinstance(sight.node, Unseen):
        yield sight.node
    if not is_lost:
        yield from server.unseen(sight)
        if isinstance(sight.server, ServerFacts):
            yield from running.unseen(spec, sight.server, sight.live)


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
