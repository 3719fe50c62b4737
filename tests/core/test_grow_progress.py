"""How far a volume has grown, and what keeps it from growing."""

import copy
from typing import Any

import pytest

from sturdis.core.cluster import Manifest
from sturdis.core.cluster_troubles import Scene
from sturdis.core.grow import claims, progress
from tests.core.cluster_objects import KUBECTL
from tests.core.growing import GI, SMALL, WANTED, World, event


def claim_with(**status: Any) -> Manifest:
    found: Manifest = copy.deepcopy(World(WANTED, "10Gi").claim)
    found["status"] |= status
    return found


def condition(kind: str, message: str = "") -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": "True", "message": message}]}


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ({}, "claim data-redis-0 has 10Gi of 20Gi"),
        (condition("Resizing"), "the storage grows the volume"),
        (condition("FileSystemResizePending"), "its node grows the file system"),
    ],
)
def test_what_is_waited_for_is_told(status, stage):
    assert stage in progress.stage(Scene(claim=claim_with(**status)), 20 * GI)


@pytest.mark.parametrize(
    ("status", "events", "words"),
    [
        ({}, (), "no resizer has said anything"),
        ({}, (event("ExternalExpanding", "waits for a resizer"),), "waits for a resizer"),
        (condition("Resizing"), (event("VolumeResizeFailed", "no space"),), "no space"),
        (condition("ControllerResizeError", "a quota"), (), "a quota"),
        (condition("FileSystemResizePending", "waiting for user"), (), "waiting for user"),
        (
            condition("FileSystemResizePending"),
            (event("FileSystemResizeFailed", "resize2fs", "uid-of-pod"),),
            "resize2fs",
        ),
    ],
)
def test_what_keeps_a_volume_from_growing_is_told_in_the_words_of_who_saw_it(status, events, words):
    pod = World(SMALL, "10Gi").facts.pod
    scene = Scene(pod=pod, claim=claim_with(**status), events=events)
    (trouble,) = progress.troubles(scene, KUBECTL)
    assert words in trouble.why
    assert trouble.do


def test_a_storage_that_is_at_it_is_no_trouble():
    scene = Scene(claim=claim_with(**condition("Resizing")))
    assert progress.troubles(scene, KUBECTL) == ()


def test_a_file_system_that_waits_for_a_pod_has_grown_only_where_there_is_none():
    waiting, pod = claim_with(**condition("FileSystemResizePending")), World(SMALL, "1Gi").facts.pod
    assert claims.is_grown(waiting, None, 20 * GI)
    assert not claims.is_grown(waiting, pod, 20 * GI)
    assert not claims.is_grown(waiting, None, 40 * GI)
