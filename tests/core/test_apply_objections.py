"""What stands against applying: each refused before anything is changed, with what to do."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sturdis.core.apply import objections, takeover
from sturdis.core.apply.facts import Facts, Right, helpful, needed
from sturdis.core.cluster import (
    CONFIG_MAP,
    NAMESPACE,
    SERVICE,
    STATEFUL_SET,
    STORAGE_CLASS,
    Manifest,
    Ref,
)
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.spec import Spec
from sturdis.core.spec.cluster import Access, Storage
from tests.core.cluster_objects import KUBECTL, claim, nothing, pod, running

SPEC = Spec()
SET = Ref(STATEFUL_SET, "redis", "redis")
CLIENTS = Ref(SERVICE, "redis", "redis")
FOREIGN = {"by": "kubectl-client-side-apply", "operation": "Update"}


def refusal(spec: Spec, facts: Facts, *, adopt: bool = False) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        objections.refuse(spec, facts, adopt=adopt)
    return caught.value


def changed(facts: Facts, ref: Ref, change: Callable[[Manifest], Any]) -> Facts:
    """Give the facts with one object otherwise."""
    live = copy.deepcopy(dict(facts.live))
    found = live[ref]
    assert found is not None
    change(found)
    return replace(facts, live=live)


@pytest.mark.parametrize("adopt", [True, False])
def test_nothing_stands_against_an_empty_cluster_or_our_own_deployment(adopt):
    objections.refuse(SPEC, nothing(SPEC), adopt=adopt)
    objections.refuse(SPEC, running(SPEC), adopt=adopt)


@pytest.mark.parametrize(("version", "taken"), [((1, 26), False), ((1, 27), True), ((1, 40), True)])
def test_an_api_server_is_refused_that_would_drop_fields(version, taken):
    if taken:
        objections.refuse_old(version)
        return
    with pytest.raises(ClusterError, match=r"1\.26") as caught:
        objections.refuse_old(version)
    assert caught.value.code == "cluster.too_old"
    assert "1.27" in caught.value.do


def test_every_missing_right_is_named_with_verb_and_kind():
    missing = [Right("patch", STATEFUL_SET, "redis"), Right("create", NAMESPACE, "")]
    with pytest.raises(ClusterError, match=r"may not patch statefulsets\.apps in") as told:
        objections.refuse_unallowed(missing, KUBECTL)
    assert told.value.code == "cluster.forbidden"
    assert "create namespaces" in told.value.why
    objections.refuse_unallowed([], KUBECTL)


def test_rights_are_asked_only_for_what_is_done():
    fresh = {str(one) for one in needed(SPEC, nothing(SPEC))}
    assert {"create namespaces", "create statefulsets.apps in namespace redis"} <= fresh
    again = {str(one) for one in needed(SPEC, running(SPEC))}
    assert not any(one.startswith("create") for one in again)
    assert "patch statefulsets.apps in namespace redis" in again
    assert Right("get", STORAGE_CLASS, "") in helpful(SPEC)


def test_what_others_made_is_refused_and_they_are_named():
    error = refusal(SPEC, running(SPEC, **FOREIGN))
    assert error.code == "cluster.foreign"
    assert "kubectl-client-side-apply" in error.why
    assert "--adopt" in error.do
    objections.refuse(SPEC, running(SPEC, **FOREIGN), adopt=True)


def test_a_release_of_helm_is_named_and_warned_of():
    def release(found: Manifest) -> None:
        found["metadata"]["annotations"] = {"meta.helm.sh/release-name": "cache"}

    facts = changed(running(SPEC, **FOREIGN), SET, release)
    assert "Helm, release cache" in refusal(SPEC, facts).why
    assert any("cache" in one for one in takeover.warnings(SPEC, facts))


@pytest.mark.parametrize("adopt", [True, False])
@pytest.mark.parametrize(
    ("change", "keeper"),
    [
        ({"annotations": {"argocd.argoproj.io/tracking-id": "cache:apps/x"}}, "Application cache"),
        ({"labels": {"app.kubernetes.io/instance": "cache"}}, "Application cache"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "infra"}}, "Flux, infra"),
        ({"managedFields": [{"manager": "argocd-controller", "operation": "Apply"}]}, "Argo CD"),
    ],
)
def test_what_is_kept_in_git_is_refused_whoever_asks(adopt, change, keeper):
    facts = running(SPEC, applications=frozenset({"cache"}))
    error = refusal(
        SPEC, changed(facts, CLIENTS, lambda found: found["metadata"].update(change)), adopt=adopt
    )
    assert error.code == "cluster.gitops"
    assert keeper in error.why
    assert "sturdis render" in error.do


def test_a_label_that_names_no_application_is_no_sign_of_argo_cd():
    labels = {"labels": {"app.kubernetes.io/instance": "cache"}}
    facts = changed(running(SPEC), CLIENTS, lambda found: found["metadata"].update(labels))
    objections.refuse(SPEC, facts, adopt=False)


def test_what_an_operator_keeps_is_refused_even_to_adopt():
    owner = {"ownerReferences": [{"kind": "RedisReplication", "name": "cache", "controller": True}]}
    facts = changed(running(SPEC, **FOREIGN), SET, lambda found: found["metadata"].update(owner))
    error = refusal(SPEC, facts, adopt=True)
    assert error.code == "cluster.foreign"
    assert "redisreplication/cache --cascade=orphan" in error.do


def test_a_claim_that_is_smaller_is_refused_with_the_command_that_grows_it():
    wanted = Spec(storage=Storage(size="20Gi"))
    error = refusal(wanted, running(SPEC))
    assert (error.code, "sturdis grow" in error.do) == ("cluster.claim", True)
    of_others = refusal(wanted, running(SPEC, **FOREIGN), adopt=True)
    assert f"{KUBECTL} patch pvc data-redis-0" in of_others.do
    assert '"storage":"20Gi"' in of_others.do


def test_a_claim_that_is_larger_is_refused_with_what_to_write():
    error = refusal(SPEC, running(SPEC, claim=claim(size="20Gi")))
    assert error.code == "cluster.claim"
    assert "size: 20Gi" in error.do


def test_a_size_written_otherwise_is_the_same_size():
    objections.refuse(SPEC, running(SPEC, claim=claim(size="10240Mi")), adopt=False)


@pytest.mark.parametrize("adopt", [True, False])
def test_a_claim_on_its_way_out_is_not_let_go_of_by_ending_its_pod(adopt):
    leaving = claim()
    leaving["metadata"]["deletionTimestamp"] = "2026-11-25T12:00:00Z"
    error = refusal(SPEC, running(SPEC, claim=leaving), adopt=adopt)
    assert error.code == "cluster.claim"
    assert "exec redis-0" in error.do


def test_a_claim_of_another_class_is_refused():
    error = refusal(SPEC, running(SPEC, claim=claim(storage_class="gp3")))
    assert error.code == "cluster.claim"
    assert "class: gp3" in error.do


def test_a_storage_class_that_is_not_there_matters_only_for_a_new_claim():
    error = refusal(SPEC, nothing(SPEC, storage_class=None))
    assert error.code == "cluster.storage_class"
    objections.refuse(SPEC, running(SPEC, storage_class=None), adopt=False)
    objections.refuse(SPEC, nothing(SPEC, storage_class=Unseen("forbidden")), adopt=False)


SECURED = Spec(access=Access(password_secret="redis-access"))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (None, "is not there"),
        (frozenset({"password"}), "lacks exporter-password, sturdis-password"),
    ],
)
def test_a_secret_that_is_missing_is_refused_with_how_to_make_it(keys, said):
    error = refusal(SECURED, nothing(SECURED, secret_keys=keys))
    assert error.code == "cluster.secret"
    assert said in error.what
    assert "create secret generic redis-access" in error.do
    assert "--from-literal" not in error.do  # every user could read that in the process list


def test_a_secret_that_may_not_be_looked_at_or_is_whole_stands_against_nothing():
    whole = frozenset({"password", "exporter-password", "sturdis-password", "more"})
    for keys in (whole, Unseen("forbidden")):
        objections.refuse(SECURED, nothing(SECURED, secret_keys=keys), adopt=False)


def test_a_namespace_that_is_being_deleted_is_waited_for_by_hand():
    namespace = {"metadata": {"name": "redis", "deletionTimestamp": "2026-11-25T12:00:00Z"}}
    error = refusal(SPEC, nothing(SPEC, namespace=namespace))
    assert error.code == "cluster.refused"
    assert "wait --for=delete namespace/redis" in error.do


def test_a_pod_of_that_name_that_no_set_keeps_is_refused():
    foreign = pod(SPEC)
    foreign["metadata"]["labels"] = {"run": "redis"}
    error = refusal(SPEC, nothing(SPEC, pod=foreign))
    assert error.code == "cluster.foreign"
    assert "pod/redis-0" in error.what
    objections.refuse(SPEC, nothing(SPEC, pod=pod(SPEC)), adopt=False)  # adopting was cut short


@pytest.mark.parametrize("adopt", [True, False])
def test_a_pod_that_another_owner_keeps_is_never_taken(adopt):
    foreign = pod(SPEC)
    owner = {"kind": "ReplicaSet", "name": "other", "controller": True}
    foreign["metadata"]["ownerReferences"] = [owner]
    error = refusal(SPEC, nothing(SPEC, pod=foreign), adopt=adopt)
    assert "belongs to ReplicaSet/other" in error.what


def foreign_set(change: Callable[[Manifest], Any]) -> Facts:
    return changed(running(SPEC, **FOREIGN), SET, change)


def _template(found: Manifest, name: str) -> None:
    found["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] = name


def _arguments(found: Manifest, *words: str) -> None:
    found["spec"]["template"]["spec"]["containers"][0]["args"] = list(words)


def _mount(found: Manifest, **more: str) -> None:
    found["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0].update(more)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: _template(found, "redis-data"), "redis-data-redis-0"),
        (lambda found: found["spec"].update(volumeClaimTemplates=[]), "in no claim"),
        (lambda found: found["spec"].update(replicas=3), "3 replicas"),
        (lambda found: _arguments(found, "--dir", "/data/redis"), "--dir /data/redis"),
        (lambda found: _arguments(found, "--appenddirname", "aof"), "--appenddirname aof"),
        (lambda found: _mount(found, subPath="redis"), "in redis of the volume"),
    ],
)
def test_a_set_is_not_adopted_whose_data_would_not_be_found(change, said):
    error = refusal(SPEC, foreign_set(change), adopt=True)
    assert error.code == "cluster.claim"
    assert said in error.why


@pytest.mark.parametrize(
    "words", [("--dir", "/data"), ("--dir", "/data/"), ("--appendonly", "yes")]
)
def test_a_set_whose_data_is_where_ours_is_looked_for_is_adopted(words):
    facts = foreign_set(lambda found: _arguments(found, *words))
    objections.refuse(SPEC, facts, adopt=True)


def test_adopting_a_server_with_a_password_into_an_open_one_is_warned_of():
    facts = foreign_set(lambda found: _arguments(found, "--requirepass", "hunter2"))
    (warning,) = takeover.warnings(SPEC, facts)
    assert "password" in warning
    assert "hunter2" not in warning
    assert list(takeover.warnings(SECURED, facts)) == []


def test_any_object_that_others_made_is_named():
    """A foreign ConfigMap alone is named as well."""
    facts = changed(
        running(SPEC),
        Ref(CONFIG_MAP, "redis-config", "redis"),
        lambda found: found["metadata"].update(managedFields=[]),
    )
    assert "configmap/redis-config (by someone)" in refusal(SPEC, facts).why
