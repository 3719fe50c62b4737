"""What a user must be allowed to do before a drill in a cluster begins."""

import msgspec
import pytest

from sturdis.core.drill import cluster_rights
from sturdis.core.drill.faults.cluster import NodeCrash, PodDelete
from sturdis.core.drill.faults.process import Kill
from sturdis.core.drill.scenario import Load, Scenario
from sturdis.core.spec import Spec
from sturdis.core.spec.cluster import Access

SCENARIO = Scenario("a-drill", "It holds.", PodDelete(), "It is mended.", ())
LOOK = {"get pods", "watch pods", "get pods/portforward"}
VERBS = ("create", "patch", "delete")
LOADS = {"get pods/exec", *(f"{verb} {kind}" for verb in VERBS for kind in ("pods", "configmaps"))}


def needed(scenario: Scenario, spec: Spec) -> set[str]:
    rights = cluster_rights.needed(scenario, spec)
    assert len(rights) == len(set(rights))
    return {f"{right.verb} {right.kind.plural}" for right in rights}


@pytest.mark.parametrize(
    ("fault", "load", "more"),
    [
        (Kill(), None, set()),
        (Kill(), Load(), LOADS),
        (PodDelete(), None, {"delete pods"}),
        (
            NodeCrash(),
            None,
            {"get nodes", "watch nodes", "patch nodes", "delete pods", "watch statefulsets"},
        ),
    ],
)
def test_each_drill_asks_for_what_it_does_and_no_more(fault, load, more):
    scenario = msgspec.structs.replace(SCENARIO, fault=fault, load=load)
    assert needed(scenario, Spec()) == LOOK | more


def test_a_password_is_read_only_where_there_is_one():
    spec = Spec(access=Access(password_secret="a-secret"))
    scenario = msgspec.structs.replace(SCENARIO, load=None, fault=Kill())
    assert needed(scenario, spec) == LOOK | {"get secrets"}
