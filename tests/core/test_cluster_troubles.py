"""Why a deployment does not serve, told from what an API server shows."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.apply import progress
from sturdis.core.cluster_troubles import Scene, Trouble, troubles
from sturdis.core.spec import Spec
from tests.core.cluster_objects import KUBECTL, claim, pod

SPEC = Spec()


def container(name: str = "redis", **status: Any) -> dict[str, Any]:
    head = {"name": name, "image": "redis:8.0.5", "ready": False, "restartCount": 0}
    return head | status


def scene(*containers: dict[str, Any], **other: Any) -> Scene:
    """Give a pod that a set has made and a node has, with these containers."""
    found = pod(SPEC, ready=False)
    found["status"]["containerStatuses"] = list(containers)
    stateful_set = {
        "metadata": {"name": "redis", "uid": "uid-of-set", "generation": 2},
        "status": {"observedGeneration": 2, "updateRevision": "redis-1"},
    }
    given: dict[str, Any] = {"stateful_set": stateful_set, "pod": found, "claim": claim()}
    return Scene(**given | other)


def event(reason: str, message: str, uid: str = "uid-of-pod", **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": reason, "uid": f"{reason}{more}"},
        "involvedObject": {"uid": uid, "fieldPath": more.pop("part", None)},
        "reason": reason,
        "message": message,
        "lastTimestamp": "2026-11-25T12:00:00Z",
    } | more


def only(found: Scene) -> Trouble:
    (trouble,) = troubles(found, KUBECTL)
    return trouble


PENDING = claim() | {"status": {"phase": "Pending"}}
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}


def unscheduled(message: str, **other: Any) -> Scene:
    found = scene(**other)
    assert found.pod is not None
    found.pod["status"]["conditions"] = [UNSCHEDULED | {"message": message}]
    del found.pod["spec"]["nodeName"]
    return found


def test_nothing_troubles_a_deployment_that_serves():
    well = scene(container(ready=True, started=True), container("redis-exporter", ready=True))
    assert troubles(well, KUBECTL) == ()


def test_a_claim_without_a_class_of_that_name_says_so():
    words = 'storageclass.storage.k8s.io "longhorn-replicated" not found'
    events = [event("ProvisioningFailed", words, "uid-of-claim")]
    trouble = only(unscheduled("pod has unbound immediate claims", claim=PENDING, events=events))
    assert (trouble.about, trouble.why) == ("claim", words)
    assert "kubectl get storageclass" in trouble.do


def test_a_claim_whose_provisioner_says_nothing_names_its_class():
    trouble = only(scene(claim=PENDING))
    assert "longhorn-replicated" in trouble.why


def test_a_claim_that_waits_for_its_pod_is_as_it_should_be():
    events = [event("WaitForFirstConsumer", "waiting for first consumer", "uid-of-claim")]
    assert troubles(scene(claim=PENDING, events=events), KUBECTL) == ()


def test_a_lost_claim_is_told_with_care_for_the_data():
    trouble = only(scene(claim=claim() | {"status": {"phase": "Lost"}}))
    assert "do not delete the claim" in trouble.do


def test_the_newest_word_counts():
    events = [
        event("ProvisioningFailed", "old", "uid-of-claim"),
        event("ProvisioningFailed", "new", "uid-of-claim", lastTimestamp="2026-11-25T12:00:09Z"),
    ]
    assert only(scene(claim=PENDING, events=events)).why == "new"


def test_words_on_a_former_pod_are_not_heard():
    failed = event("FailedMount", "old pod", "uid-of-the-pod-before")
    waiting = container(state={"waiting": {"reason": "ContainerCreating"}})
    assert troubles(scene(waiting, events=[failed]), KUBECTL) == ()


@pytest.mark.parametrize(
    ("words", "do"),
    [
        ("0/3 nodes are available: 3 Insufficient memory.", "memory.limit"),
        ("0/3 nodes are available: 1 node(s) had untolerated taint {x: }", "taints"),
        ("0/3 nodes are available: 3 node(s) had volume node affinity conflict", "volume"),
        ("something new", "describe nodes"),
    ],
)
def test_a_pod_that_no_node_takes_says_why(words, do):
    trouble = only(unscheduled(words))
    assert trouble.why == words
    assert do in trouble.do


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
def test_an_image_that_is_not_pulled_is_named(reason):
    waiting = container(state={"waiting": {"reason": reason, "message": "no such host"}})
    trouble = only(scene(waiting))
    assert "redis:8.0.5" in trouble.what
    assert trouble.why == "no such host"


def test_the_registrys_own_words_say_more_than_a_back_off():
    waiting = container(state={"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}})
    words = 'Failed to pull image "redis:8.0.5": not found'
    failed = event("Failed", words, part="spec.containers{redis}")
    other = event(
        "Failed", "Failed to pull image: of the exporter", part="spec.containers{redis-exporter}",
        lastTimestamp="2026-11-25T12:00:09Z",
    )  # fmt: skip
    assert only(scene(waiting, events=[failed, other])).why == words


def test_a_secret_that_is_missing_is_named():
    words = 'secret "redis-access" not found'
    state = {"waiting": {"reason": "CreateContainerConfigError", "message": words}}
    trouble = only(scene(container(state=state)))
    assert trouble.why == words
    assert "access.passwordSecret" in trouble.do


def crashed(log: str = "", code: int = 1, reason: str = "Error", restarts: int = 3) -> Scene:
    status = container(
        state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        lastState={"terminated": {"exitCode": code, "reason": reason}},
        restartCount=restarts,
    )
    return scene(status, logs={"redis": log})


def test_a_crash_is_told_with_its_status_and_last_lines():
    trouble = only(crashed("one\ntwo\n"))
    assert "status 1, 3 restarts" in trouble.what
    assert trouble.why == "one\ntwo"
    assert "logs redis-0 -c redis --previous" in trouble.do


def test_the_same_crash_stays_the_same_trouble():
    first, later = only(crashed("x", restarts=1)), only(crashed("y", restarts=9))
    assert first.about == later.about


def test_a_refusal_of_the_start_script_is_told_in_its_own_words():
    log = (
        "starting\nerror[data.corrupt]: the append-only file is damaged\n"
        "why: byte 4711 of appendonly.aof.2.incr.aof\ndo:  sturdis repair\n"
    )
    trouble = only(crashed(log))
    assert "is damaged: byte 4711" in trouble.why
    assert trouble.do == "sturdis repair"


def test_want_of_memory_is_told_as_such():
    trouble = only(crashed("x", code=137, reason="OOMKilled"))
    assert "memory.limit" in trouble.do


def test_a_killed_server_without_words_says_what_kills():
    assert "probe" in only(crashed("", code=137)).why


def test_a_pod_that_cannot_be_made_says_who_refuses():
    words = 'pods "redis-0" is forbidden: violates PodSecurity "restricted:latest"'
    refused = event("FailedCreate", words, "uid-of-set")
    found = replace(scene(events=[refused]), pod=None)
    assert only(found).why == words


def test_a_pod_that_its_set_cannot_take_over_is_told_with_the_reason():
    words = (
        "update Pod redis-0 in StatefulSet redis failed error: pod updates may not change fields"
    )
    failed = scene(events=[event("FailedUpdate", words, "uid-of-set")])
    assert only(failed).why == words
    assert "delete pod redis-0" in only(failed).do
    assert failed.pod is not None
    failed.pod["metadata"]["ownerReferences"] = [{"uid": "uid-of-set", "controller": True}]
    assert troubles(failed, KUBECTL) == ()  # that is over


def test_a_volume_that_another_node_holds_is_told():
    waiting = container(state={"waiting": {"reason": "ContainerCreating"}})
    held = event("FailedAttachVolume", "Multi-Attach error for volume pvc-1")
    assert "out-of-service" in only(scene(waiting, events=[held])).do


def test_a_server_that_is_not_ready_says_what_its_probe_heard():
    running = container(started=True, state={"running": {}})
    words = "Readiness probe failed: NOAUTH Authentication required."
    heard = event("Unhealthy", words, part="spec.containers{redis}")
    assert only(scene(running, events=[heard])).why == words


def test_a_server_that_loads_is_no_trouble_and_the_stage_says_so():
    loading = container(started=False, state={"running": {}})
    words = "Startup probe failed: LOADING Redis is loading"
    found = scene(loading, events=[event("Unhealthy", words, part="spec.containers{redis}")])
    assert troubles(found, KUBECTL) == ()
    assert "LOADING" in progress.stage(found)


STATES = st.sampled_from(
    [
        {},
        {"waiting": {}},
        {"waiting": {"reason": "ImagePullBackOff"}},
        {"waiting": {"reason": "CreateContainerConfigError"}},
        {"running": {"startedAt": "x"}},
        {"terminated": {}},
        {"terminated": {"exitCode": 1}},
    ]
)
STATUSES = st.builds(
    lambda state, last, started: container(state=state, lastState=last, started=started),
    STATES,
    STATES,
    st.none() | st.booleans(),
)


@given(
    statuses=st.lists(STATUSES, max_size=2),
    phase=st.sampled_from(["Pending", "Bound", "Lost"]),
    has_pod=st.booleans(),
    log=st.text(max_size=40),
)
def test_whatever_is_there_can_be_told(statuses, phase, has_pod, log):
    found = scene(*statuses, claim=claim() | {"status": {"phase": phase}}, logs={"redis": log})
    found = found if has_pod else replace(found, pod=None)
    for trouble in troubles(found, KUBECTL):
        assert trouble.what
        assert trouble.why
        assert trouble.do
    assert progress.stage(found)
    assert not progress.serves(found)
    json.dumps(progress.stage(found))
