"""What stands against growing, found before anything is changed."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from sturdis.core.apply.facts import Facts
from sturdis.core.cluster import Manifest
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.grow import objections, plan
from sturdis.core.spec import Spec
from tests.core.cluster_objects import KUBECTL
from tests.core.growing import SMALL, WANTED, World, decided


def refusal(spec: Spec, facts: Facts) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        objections.refuse(spec, facts)
    return caught.value


def of_a_claim(**changes: Any) -> Facts:
    """Give a deployment of 10Gi with another claim."""
    facts = World(SMALL, "10Gi").facts
    claim = copy.deepcopy(facts.claim) or {}
    for section, values in changes.items():
        claim[section] |= values
    return replace(facts, claim=claim)


def test_nothing_stands_against_growing_or_against_what_has_grown():
    objections.refuse(WANTED, World(SMALL, "10Gi").facts)
    objections.refuse(WANTED, World(WANTED, "20Gi").facts)


def test_a_volume_never_shrinks():
    error = refusal(SMALL, World(WANTED, "20Gi").facts)
    assert (error.code, "never shrinks" in error.why) == ("cluster.claim", True)
    assert "size: 20Gi" in error.do


def test_a_claim_of_another_class_is_refused():
    error = refusal(WANTED, of_a_claim(spec={"storageClassName": "other"}))
    assert (error.code, "class: other" in error.do) == ("cluster.claim", True)


def test_a_claim_that_is_not_there_is_left_to_apply():
    error = refusal(WANTED, replace(World(SMALL, "10Gi").facts, claim=None))
    assert error.code == "cluster.not_found"
    assert "sturdis apply" in error.do


@pytest.mark.parametrize("phase", ["Pending", "Lost"])
def test_a_claim_without_a_volume_is_refused(phase):
    error = refusal(WANTED, of_a_claim(status={"phase": phase}))
    assert (error.code, phase in error.what) == ("cluster.not_grown", True)


@pytest.mark.parametrize("said", [{}, {"allowVolumeExpansion": False}])
def test_a_class_that_lets_nothing_grow_is_named_with_what_to_do(said):
    stiff = {"metadata": {"name": "longhorn-replicated"}, "provisioner": "driver.x", **said}
    facts = replace(World(SMALL, "10Gi").facts, storage_class=stiff)
    error = refusal(WANTED, facts)
    assert error.code == "cluster.not_grown"
    assert "longhorn-replicated" in error.what
    assert "driver.x" in error.do
    assert '{"allowVolumeExpansion":true}' in error.do


def test_a_class_is_not_asked_for_when_the_claim_asks_for_the_size_already():
    facts = of_a_claim(spec={"resources": {"requests": {"storage": "20Gi"}}})
    objections.refuse(WANTED, replace(facts, storage_class=None))


def test_a_class_that_is_not_there_is_refused():
    error = refusal(WANTED, replace(World(SMALL, "10Gi").facts, storage_class=None))
    assert error.code == "cluster.storage_class"


def test_a_class_that_may_not_be_looked_at_is_said():
    facts = replace(World(SMALL, "10Gi").facts, storage_class=Unseen("forbidden"))
    objections.refuse(WANTED, facts)
    assert any("may not be looked at" in one for one in decided(WANTED, facts).warnings)


def with_set(change: Manifest) -> Facts:
    world = World(SMALL, "10Gi")
    assert world.stateful_set is not None
    world.stateful_set["metadata"] |= change
    return world.facts


def test_a_set_that_others_wrote_is_not_made_anew():
    error = refusal(WANTED, with_set({"managedFields": [{"manager": "x", "operation": "Update"}]}))
    assert error.code == "cluster.foreign"
    assert f"{KUBECTL} patch pvc data-redis-0" in error.do
    assert error.do.endswith("sturdis apply --adopt")


def test_a_set_that_an_operator_keeps_is_not_made_anew():
    owner = {"kind": "RedisReplication", "name": "cache", "controller": True}
    error = refusal(WANTED, with_set({"ownerReferences": [owner]}))
    assert (error.code, "redisreplication/cache" in error.do) == ("cluster.foreign", True)


def test_rights_are_asked_for_what_is_done():
    world = World(SMALL, "10Gi")
    growth = decided(WANTED, world.facts)
    needed = {str(one) for one in plan.rights(WANTED, growth)}
    assert {
        "patch persistentvolumeclaims in namespace redis",
        "watch persistentvolumeclaims in namespace redis",
        "delete statefulsets.apps in namespace redis",
        "create statefulsets.apps in namespace redis",
        "patch statefulsets.apps in namespace redis",
    } <= needed
    assert plan.rights(WANTED, decided(WANTED, World(WANTED, "20Gi").facts)) == []
