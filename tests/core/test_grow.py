"""Growing a volume: what is done, what is refused, and that every run cut short is completed."""

import contextlib
import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.apply.plan import Action
from sturdis.core.cluster_troubles import Scene
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.grow import claims, objections, sets
from sturdis.core.spec import Memory, Spec
from sturdis.core.spec.cluster import Storage
from sturdis.flows import grow as flow
from tests.core.growing import (
    GI,
    SET,
    SMALL,
    WANTED,
    CutOffError,
    World,
    actions,
    decided,
    event,
    set_of,
)

MORE = Spec(storage=Storage(size="20Gi"), memory=Memory(limit="2Gi"))


def grow(world: World, wanted: Spec = WANTED) -> flow.Grown:
    """Run to the end; the model's storage grows in a few looks."""
    telling = flow.Telling(
        agree=lambda _growth: True,
        done=lambda _step: None,
        waiting=lambda _waiting: None,
        now=lambda: 0.0,
    )
    return flow.grow(flow.Growing(wanted, set_of(wanted), 600.0), world, telling)


def test_the_claim_grows_is_waited_for_and_the_set_is_made_anew():
    world = World(SMALL, "10Gi")
    growth = decided(WANTED, world.facts)
    assert (actions(growth), growth.waits) == ([Action.GROW, Action.RECREATE], True)
    claim = growth.claim
    assert claim is not None
    assert claim.manifest == {
        "metadata": {"uid": "uid-of-claim"},
        "spec": {"resources": {"requests": {"storage": "20Gi"}}},
    }
    assert (claim.changes[0].before, claim.changes[0].after) == ("10Gi", "20Gi")


def test_where_all_has_the_size_nothing_is_done():
    world = World(WANTED, "20Gi")
    assert decided(WANTED, world.facts).is_done
    assert grow(world).growth.is_done


def test_what_the_api_server_wrote_otherwise_is_the_same_size():
    world = World(msgspec.structs.replace(WANTED, storage=Storage(size="20480Mi")), "20480Mi")
    assert decided(WANTED, world.facts).is_done


@given(
    capacity=st.sampled_from(["5Gi", "10Gi"]),
    storage_steps=st.integers(0, 3),
    restarted=st.booleans(),
    wanted=st.sampled_from([WANTED, MORE]),
    cuts=st.lists(st.integers(0, 16), max_size=8),
)
def test_a_run_cut_off_anywhere_any_number_of_times_is_completed_by_the_next(
    capacity, storage_steps, restarted, wanted, cuts
):
    world = World(SMALL, capacity, storage_steps, restarted)
    pod, template = world.pod_uid, world.made_told
    for cut in cuts:
        world.requests_left = cut
        with contextlib.suppress(CutOffError):
            grow(world, wanted)
        assert world.pod_uid == pod
    world.requests_left = 1_000_000
    grown = grow(world, wanted)
    assert grown.ran_on
    assert (world.pod_uid, world.made_told) == (pod, template)
    assert claims.asked(world.claim) == claims.has(world.claim) == 20 * GI
    assert world.stateful_set is not None
    assert claims.template_size(world.stateful_set) == 20 * GI
    assert "deletionTimestamp" not in world.stateful_set["metadata"]
    assert decided(wanted, world.facts).is_done


def test_every_single_cut_leaves_something_that_the_next_run_begins_with():
    """Walks through all the states a run passes, so that none of them is missed by chance."""
    begun = []
    for cut in range(16):
        world = World(SMALL, "10Gi", requests_left=cut)
        try:
            grow(world)
        except CutOffError:
            former = world.template_of({}) if world.stateful_set is None else None
            growth = decided(WANTED, world.facts, former)
            begun.append((*actions(growth), growth.waits))
    assert list(dict.fromkeys(begun)) == [
        (Action.GROW, Action.RECREATE, True),
        (Action.RECREATE, True),
        (Action.RECREATE, False),
        (Action.CREATE, False),
        (False,),
    ]


def test_the_set_is_not_touched_before_the_volume_has_grown():
    world = World(SMALL, "10Gi", storage_steps=1000, requests_left=40)
    with pytest.raises(CutOffError):
        grow(world)
    assert world.stateful_set is not None
    assert claims.template_size(world.stateful_set) == 10 * GI
    assert "deletionTimestamp" not in world.stateful_set["metadata"]


def test_what_the_spec_changes_beside_is_left_to_apply_and_said():
    world = World(SMALL, "10Gi")
    growth = decided(MORE, world.facts)
    assert growth.stateful_set is not None
    made = growth.stateful_set.manifest
    assert made is not None
    (redis, _exporter) = made["spec"]["template"]["spec"]["containers"]
    assert redis["resources"]["limits"]["memory"] == "1Gi"
    (told,) = growth.warnings
    assert "sturdis apply brings it" in told
    assert not decided(WANTED, world.facts).warnings


def test_a_set_that_is_scaled_to_nothing_stays_so():
    world = World(SMALL, "10Gi")
    live = world.stateful_set
    assert live is not None
    live["spec"]["replicas"] = 0
    assert sets.regrown(live, 20 * GI)["spec"]["replicas"] == 0


def test_a_set_made_anew_says_nothing_that_the_api_server_keeps():
    world = World(SMALL, "10Gi")
    live = world.stateful_set
    assert live is not None
    last = "kubectl.kubernetes.io/last-applied-configuration"
    live["metadata"]["annotations"][last] = "{}"
    made = sets.regrown(live, 20 * GI)
    assert set(made["metadata"]) == {"name", "namespace", "labels", "annotations"}
    assert last not in made["metadata"]["annotations"]
    assert "status" not in made
    assert "null" not in json.dumps(made)
    (template,) = made["spec"]["volumeClaimTemplates"]
    assert set(template) == {"metadata", "spec"}
    assert template["spec"]["resources"]["requests"]["storage"] == "20Gi"


def test_without_the_former_template_the_spec_is_taken_and_said():
    world = World(SMALL, "10Gi")
    gone = replace(world.facts, live={**world.facts.live, SET: None})
    growth = decided(WANTED, gone, Unseen("forbidden"))
    assert actions(growth) == [Action.GROW, Action.CREATE]
    assert any("is not known" in one for one in growth.warnings)


def test_a_claim_alone_grows_and_apply_does_the_rest():
    world = World(SMALL, "10Gi")
    alone = replace(world.facts, live={**world.facts.live, SET: None}, pod=None)
    objections.refuse(WANTED, alone)
    growth = decided(WANTED, alone)
    assert actions(growth) == [Action.GROW]
    assert any("sturdis apply" in one for one in growth.warnings)


def test_a_volume_that_never_grows_ends_the_run_with_why_and_the_set_as_it_was():
    class Stuck(World):
        def scenes(self, _seconds: float) -> Any:
            said = event("VolumeResizeFailed", "the pool is full")
            yield Scene(self.stateful_set, self.facts.pod, self.facts.claim, (said,))

    world = Stuck(SMALL, "10Gi")
    with pytest.raises(ClusterError) as caught:
        grow(world)
    assert caught.value.code == "cluster.not_grown"
    assert "the pool is full" in caught.value.why
    assert world.stateful_set is not None
    assert claims.template_size(world.stateful_set) == 10 * GI
