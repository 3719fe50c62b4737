"""A node that does not report: what is told, and when its being declared off is refused."""

import pytest

from sturdis.core.doctor import declaring, nodes
from sturdis.core.doctor.declaring import Named
from sturdis.core.doctor.diagnosis import Severity
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from tests.core.sights import HEALTHY, VOLUME, ids, node, only, running, scene, seen

SILENT = node(ready="Unknown")
LOST = seen(node=SILENT)
NAMED = Named("node1", SILENT, (), 12)


def refusal(named: Named, sight=LOST) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        declaring.off(named, sight, 100)
    assert caught.value.code == "cluster.node"
    return caught.value


def test_a_silent_node_is_named_with_its_pod_since_when_and_the_volume():
    told = only(LOST)
    assert (told.id, told.severity) == ("node.silent", Severity.CRITICAL)
    assert told.what == "node node1 does not report, and pod redis-0 is stuck on it"
    for words in (
        "2026-11-25T11:53:00Z, for 7 min", "2026-11-25T11:52:20Z", "still shown as running",
        f"volume {VOLUME}, attached to node1",
    ):  # fmt: skip
        assert words in told.seen
    assert "--node-is-off node1" in told.do
    assert "power" in told.do, "what to look at before that"
    assert "goes on writing" in told.why


def test_a_pod_that_was_evicted_is_told_with_when():
    pod = running()
    pod["metadata"]["deletionTimestamp"] = "2026-11-25T11:58:00Z"
    told = only(seen(node=SILENT, scene=scene(pod=pod), attached=[]))
    assert "Terminating since 2026-11-25T11:58:00Z" in told.seen
    assert f"volume {VOLUME}, no driver says that it is attached" in told.seen


def test_a_node_whose_pod_answers_is_not_to_be_declared_off():
    told = only(seen(node=SILENT, answers=True))
    assert told.id == "node.kubelet"
    assert "--node-is-off" not in told.do
    error = refusal(NAMED, seen(node=SILENT, answers=True))
    assert "answers" in error.why


def test_a_node_that_reports_that_it_is_unwell_is_on():
    unwell = node(ready="False")
    assert only(seen(node=unwell)).id == "node.unwell"
    assert "KubeletNotReady" in refusal(Named("node1", unwell), seen(node=unwell)).why


def test_a_node_that_is_ready_is_not_off():
    error = refusal(Named("node1", node()), HEALTHY)
    assert "Ready" in error.why
    assert "nothing was changed" in error.why


def test_a_node_of_another_name_is_told_with_the_one_that_was_meant():
    error = refusal(Named("nod1", None, ("node1", "node2")))
    assert error.do == "did you mean node1?"
    assert "node1, node2" in error.why


def test_a_node_without_anything_of_ours_is_refused_and_one_with_the_volume_is_warned_of():
    other = Named("node2", node("node2", "Unknown"))
    assert "on node1" in refusal(other, HEALTHY).why
    attached = [{"spec": {"nodeName": "node2", "source": {"persistentVolumeName": VOLUME}}}]
    plan = declaring.off(other, seen(attached=attached), 100)
    assert plan.pod_uid is None
    assert "still attached to node2" in plan.warnings[0]


def test_the_plan_says_all_that_it_does():
    plan = declaring.off(NAMED, LOST, 240)
    assert (plan.pod_uid, plan.is_declared, plan.warnings) == ("uid-of-pod", False, ())
    told = str(plan)
    for words in (
        "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute on node node1",
        "all of its 12 pods, also those of others", "delete pod redis-0 without waiting", "240 s",
        "only you can tell",
    ):  # fmt: skip
        assert words in told


def test_a_node_that_is_declared_already_is_left_so_and_the_pod_is_moved_on():
    declared = node(ready="Unknown", taints=(nodes.OUT_OF_SERVICE,))
    plan = declaring.off(Named("node1", declared, (), Unseen("x")), LOST, 100)
    assert plan.is_declared
    assert "leave the taint" in str(plan)
    assert "is declared off" in only(seen(node=declared)).seen


def test_a_node_that_is_back_is_told_until_the_taint_is_off():
    back = node("node3", taints=("other", nodes.OUT_OF_SERVICE))
    assert ids(seen(declared=[back])) == ["node.returned"]
    assert "--node-returned node3" in only(seen(declared=[back])).do
    assert ids(seen(declared=[node("node3", "Unknown", taints=(nodes.OUT_OF_SERVICE,))])) == []


@pytest.mark.parametrize(
    ("found", "changes"),
    [(node(taints=(nodes.OUT_OF_SERVICE,)), True), (node(), False), (node(ready="Unknown"), False)],
)
def test_a_taint_comes_off_a_node_that_is_ready(found, changes):
    assert declaring.returned(Named("node1", found)) is changes


def test_a_taint_stays_on_a_node_that_is_not_back():
    away = node(ready="Unknown", taints=(nodes.OUT_OF_SERVICE,))
    with pytest.raises(ClusterError) as caught:
        declaring.returned(Named("node1", away))
    assert caught.value.code == "cluster.node"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-1, "0 s"), (59, "59 s"), (119, "119 s"), (130, "2 min"), (7100, "118 min"), (9000, "2.5 h")],
)
def test_how_long_something_lasts_is_told_as_people_do(seconds, told):
    assert nodes.lasting(seconds) == told
