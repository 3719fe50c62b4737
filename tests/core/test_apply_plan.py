"""The plan of `apply`: what each object needs, decided from what is there."""

import copy
from dataclasses import replace

import msgspec
import pytest

from sturdis.core.apply import plan
from sturdis.core.apply.facts import Facts
from sturdis.core.apply.plan import Action, Step
from sturdis.core.cluster import (
    NAMESPACE,
    POD,
    SERVICE,
    SERVICE_MONITOR,
    STATEFUL_SET,
    Manifest,
    Ref,
    ref_of,
)
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.spec import Memory, Spec
from sturdis.core.spec.cluster import Storage
from tests.core.cluster_objects import alive, nothing, pod, rendered, running

SPEC = Spec()
SET = Ref(STATEFUL_SET, "redis", "redis")
CLIENTS = Ref(SERVICE, "redis", "redis")


def planned(spec: Spec, facts: Facts, *, adopt: bool = False) -> tuple[Step, ...]:
    """Plan with a dry run that gives what was applied, over what is there."""
    intended = plan.intend(spec, rendered(spec), facts, adopt=adopt)
    tried = []
    for step in intended:
        if step.action in plan.TRIED and step.manifest is not None:
            live = facts.find(step.ref)
            tried.append(plan.tried(step, live, _result(step.manifest, live)))
        else:
            tried.append(step)
    return plan.complete(spec, facts, tried)


def _result(manifest: Manifest, live: Manifest | None) -> Manifest:
    """Give what a server would make of it: the defaults are none here."""
    return copy.deepcopy(manifest) if live is None else alive(manifest)


def actions(steps: tuple[Step, ...]) -> dict[Ref, Action]:
    return {step.ref: step.action for step in steps}


def test_on_an_empty_cluster_everything_is_created_in_the_order_of_its_files():
    steps = planned(SPEC, nothing(SPEC))
    assert [step.ref for step in steps] == [ref_of(one) for one in rendered(SPEC)]
    assert {step.action for step in steps} == {Action.CREATE}


def test_where_all_is_as_the_spec_says_nothing_changes():
    steps = planned(SPEC, running(SPEC))
    assert {step.action for step in steps if step.ref.kind != NAMESPACE} == {Action.UNCHANGED}


def test_a_change_of_the_spec_changes_only_what_it_is_in():
    wanted = Spec(memory=Memory(limit="2Gi"))
    steps = planned(wanted, running(SPEC))
    changed = {str(step.ref) for step in steps if step.action is Action.CHANGE}
    assert {"statefulset/redis", "configmap/redis-config"} <= changed
    assert "service/redis" not in changed
    (stateful_set,) = (step for step in steps if step.ref == SET)
    paths = {change.path: (change.before, change.after) for change in stateful_set.changes}
    limit = "spec.template.spec.containers[redis].resources.limits.memory"
    assert paths[limit] == ("1Gi", "2Gi")


def test_what_a_cluster_does_not_know_is_skipped_and_said():
    facts = nothing(SPEC, unserved=frozenset({SERVICE_MONITOR}))
    (skipped,) = (one for one in planned(SPEC, facts) if one.action is Action.SKIP)
    assert skipped.ref.kind == SERVICE_MONITOR
    assert "ServiceMonitor" in skipped.note


def test_a_namespace_that_others_made_is_left_as_it_is():
    facts = nothing(SPEC, namespace=alive({"metadata": {"name": "redis"}}, by="kubectl-create"))
    (first, *_rest) = planned(SPEC, facts)
    assert (first.ref.kind, first.action) == (NAMESPACE, Action.KEEP)


def test_a_namespace_that_may_not_be_looked_at_is_taken_to_be_there():
    (first, *_rest) = planned(SPEC, nothing(SPEC, namespace=Unseen("forbidden")))
    assert (first.ref.kind, first.action) == (NAMESPACE, Action.KEEP)


def test_a_set_with_another_claim_template_is_made_anew_and_its_pod_runs_on():
    wanted = Spec(storage=Storage(size="20Gi"))
    facts = running(SPEC)
    (step,) = (one for one in planned(wanted, facts) if one.ref == SET)
    assert step.action is Action.RECREATE
    assert step.uid == "uid-of-redis"
    assert "volumeClaimTemplates" in step.note


def test_a_set_that_is_on_its_way_out_is_made_anew():
    """As it stands when adopting was cut short behind its deletion."""
    facts = running(SPEC)
    live = copy.deepcopy(dict(facts.live))
    live[SET]["metadata"] |= {"deletionTimestamp": "2026-11-25T12:00:00Z", "finalizers": ["orphan"]}  # type: ignore[index]
    (step,) = (one for one in planned(SPEC, replace(facts, live=live)) if one.ref == SET)
    assert step.action is Action.RECREATE


def test_what_the_api_server_fills_in_makes_no_set_anew():
    facts = running(SPEC)
    live = copy.deepcopy(facts.live[SET])
    assert live is not None
    live["spec"]["podManagementPolicy"] = "OrderedReady"
    template = live["spec"]["volumeClaimTemplates"][0]
    template |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "P"}}
    (wanted,) = (one for one in rendered(SPEC) if one["kind"] == "StatefulSet")
    del wanted["spec"]["podManagementPolicy"]
    assert plan.immutable_changes(wanted, live) == []


@pytest.mark.parametrize("field", ["selector", "serviceName"])
def test_every_field_that_cannot_be_changed_is_named(field):
    (wanted,) = (one for one in rendered(SPEC) if one["kind"] == "StatefulSet")
    live = alive(wanted)
    live["spec"][field] = {"matchLabels": {"app": "redis"}} if field == "selector" else "redis"
    assert plan.immutable_changes(wanted, live) == [field]


def test_adopting_labels_the_pod_before_anything_else_and_makes_the_set_anew():
    facts = running(SPEC, by="kubectl-client-side-apply", operation="Update")
    foreign = pod(SPEC)
    foreign["metadata"]["labels"] = {"app": "redis"}
    steps = planned(SPEC, replace(facts, pod=foreign), adopt=True)
    first = steps[0]
    assert (first.ref, first.action) == (Ref(POD, "redis-0", "redis"), Action.LABEL)
    assert first.manifest is not None
    assert first.manifest["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "sturdis"
    assert actions(steps)[SET] is Action.RECREATE
    assert all(step.force for step in steps if step.action is Action.CHANGE)


def test_after_adopting_was_cut_short_the_rest_is_done():
    """The set is gone, its pod runs on with our labels: only the set is created."""
    facts = running(SPEC)
    live = {**facts.live, SET: None}
    steps = planned(SPEC, replace(facts, live=live), adopt=True)
    changing = [step for step in steps if step.is_change and step.ref.kind != NAMESPACE]
    assert [(step.ref, step.action) for step in changing] == [(SET, Action.CREATE)]


def test_a_service_without_an_address_is_made_anew_with_one():
    facts = running(SPEC, by="helm", operation="Update")
    live = copy.deepcopy(dict(facts.live))
    live[CLIENTS]["spec"]["clusterIP"] = "None"  # type: ignore[index]
    steps = planned(SPEC, replace(facts, live=live), adopt=True)
    assert actions(steps)[CLIENTS] is Action.RECREATE


def test_a_pod_that_does_not_serve_is_replaced_when_the_set_is_mended():
    broken = running(SPEC, pod=pod(SPEC, ready=False))
    wanted = msgspec.structs.replace(SPEC, memory=Memory(limit="2Gi"))
    last = planned(wanted, broken)[-1]
    assert (last.ref.kind, last.action, last.uid) == (POD, Action.REPLACE, "uid-of-pod")


def test_a_pod_of_a_former_revision_that_does_not_serve_is_replaced():
    """As it stands when the mending was cut short behind the change of the set."""
    last = planned(SPEC, running(SPEC, pod=pod(SPEC, ready=False, revision="redis-0")))[-1]
    assert last.action is Action.REPLACE


@pytest.mark.parametrize("ready", [True, False])
def test_a_pod_of_the_revision_that_is_wanted_is_left_to_start(ready):
    steps = planned(SPEC, running(SPEC, pod=pod(SPEC, ready=ready)))
    assert all(step.action is not Action.REPLACE for step in steps)


def test_a_pod_that_is_ending_already_is_not_replaced_once_more():
    ending = pod(SPEC, ready=False, revision="redis-0")
    ending["metadata"]["deletionTimestamp"] = "2026-11-25T12:00:00Z"
    assert POD not in {step.ref.kind for step in planned(SPEC, running(SPEC, pod=ending))}


def test_what_only_changes_hands_is_said():
    facts = running(SPEC, by="kubectl", operation="Apply")
    (step,) = (one for one in planned(SPEC, facts, adopt=True) if one.ref == CLIENTS)
    assert step.action is Action.CHANGE
    assert not step.changes
    assert step.note


def test_rights_are_asked_for_what_is_deleted_and_labelled():
    wanted = Spec(storage=Storage(size="20Gi"), memory=Memory(limit="2Gi"))
    steps = planned(wanted, running(SPEC, pod=pod(SPEC, ready=False)))
    assert {"delete statefulsets.apps in namespace redis", "delete pods in namespace redis"} <= {
        str(one) for one in plan.rights(steps)
    }
    assert "watch statefulsets.apps in namespace redis" in {str(one) for one in plan.rights(steps)}


def refused(code: str, why: str = "because") -> ClusterError:
    return ClusterError(code, "it is refused", why=why, do="mend it")


@pytest.mark.parametrize("code", ["cluster.refused", "cluster.forbidden"])
def test_a_trial_in_another_namespace_forbids_nothing_in_this_one(code):
    (step,) = (one for one in planned(SPEC, nothing(SPEC)) if one.ref == SET)
    found = plan.untried(step, None, refused(code, "policy 7"), is_housed=False)
    assert found is not None
    assert (found.action, found.manifest) == (Action.CREATE, step.manifest)
    assert "policy 7" in found.note
    assert plan.untried(step, None, refused(code), is_housed=True) is None
    assert plan.untried(step, None, refused("cluster.lost"), is_housed=False) is None


def test_a_namespace_that_may_not_be_changed_is_kept_and_what_differs_is_said():
    (manifest,) = (one for one in rendered(SPEC) if one["kind"] == "Namespace")
    step, forbidden = Step(Action.CHANGE, ref_of(manifest), manifest), refused("cluster.forbidden")
    same = plan.untried(step, alive(manifest), forbidden, is_housed=True)
    assert same is not None
    assert same.action is Action.UNCHANGED
    other = alive(manifest)
    other["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "baseline"
    kept = plan.untried(step, other, forbidden, is_housed=True)
    assert kept is not None
    assert kept.action is Action.KEEP
    assert "enforce baseline, not restricted" in kept.note
    assert plan.untried(step, None, forbidden, is_housed=False) is None  # it must be made
    assert plan.untried(step, other, refused("cluster.refused"), is_housed=True) is None
