"""What a doctor says of what was seen."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import checks
from sturdis.core.doctor import judging, server
from sturdis.core.doctor.diagnosis import RANKS, Diagnoses, Diagnosis, Severity, ranked
from sturdis.core.doctor.facts import Disk, Inside
from sturdis.core.facts import Pinged, Unseen
from tests.core.healthy import CONFIG, INFO
from tests.core.in_cluster import IN_CLUSTER
from tests.core.sights import (
    GIB,
    HEALTHY,
    SPEC,
    container,
    ids,
    node,
    only,
    running,
    scene,
    seen,
    with_scene,
)
from tests.tiers import ROOT


def informed(**fields: str) -> object:
    return replace(IN_CLUSTER, info=INFO | fields)


def diagnosis(name: str, severity: Severity) -> Diagnosis:
    return Diagnosis(name, severity, "what", "seen", "why", "do")


def test_nothing_is_wrong_with_what_is_healthy():
    found = judging.judge(SPEC, HEALTHY)
    assert (found.found, found.unseen, found.exit_status) == ((), (), 0)
    assert (found.verdict, found.counts) == ("well", "nothing is wrong")


@given(st.lists(st.builds(diagnosis, st.sampled_from("abcd"), st.sampled_from(Severity))))
def test_the_worst_comes_first_each_once_and_what_weighs_the_same_in_its_order(found):
    told = ranked(found)
    assert set(told) == set(found)
    assert len(set(told)) == len(told)
    weights = [RANKS.index(one.severity) for one in told]
    assert weights == sorted(weights)
    for rank in RANKS:
        of_rank = [one for one in told if one.severity is rank]
        assert of_rank == [one for one in dict.fromkeys(found) if one.severity is rank]


@pytest.mark.parametrize(
    ("found", "unseen", "status", "verdict"),
    [
        (1, 0, 1, "wrong"), (1, 1, 1, "wrong"), (0, 1, 3, "unknown"), (0, 0, 0, "well"),
    ],
)  # fmt: skip
def test_the_status_says_wrong_before_unknown(found, unseen, status, verdict):
    told = Diagnoses("x", [diagnosis("a", Severity.MINOR)] * found, [Unseen("b")] * unseen)
    assert (told.exit_status, told.verdict) == (status, verdict)


def test_each_sign_is_of_a_check_that_there_is():
    assert server.SIGNS.keys() <= {one.id for one in checks.CHECKS}


def test_every_diagnosis_is_documented_and_no_other():
    source = "".join(path.read_text() for path in (ROOT / "src/sturdis/core/doctor").glob("*.py"))
    pattern = r'(?:Diagnosis\(\s*|Sign\(|": \()"([a-z_]+(?:\.[a-z_]+)?)",'
    told = set(re.findall(pattern, source))
    _head, _, below = (ROOT / "docs/doctor.md").read_text().partition("## What it finds")
    rows = re.findall(r"(?m)^\| `([a-z_.]+)` \|", below)
    assert set(rows) == told
    assert len(rows) == len(told)


def test_what_is_refused_for_one_reason_is_told_once():
    refused = Unseen("x does not let us in")
    sight = seen(server=replace(IN_CLUSTER, ping=refused, config=refused, info=refused))
    found = judging.judge(SPEC, sight)
    assert found.unseen == (refused,)
    assert found.exit_status == 3


def test_one_connection_too_many_is_an_illness_and_not_only_unseen():
    words = Unseen("ERR max number of clients reached")
    told = only(seen(server=replace(IN_CLUSTER, ping=words, config=words, info=words)))
    assert (told.id, told.severity) == ("clients.limit", Severity.CRITICAL)


@pytest.mark.parametrize(
    ("free", "told"), [(2, None), (1.9, Severity.SERIOUS), (0.4, Severity.CRITICAL)]
)
def test_a_volume_is_told_from_a_fifth_on(free, told):
    inside = Inside(Disk(int(free * GIB), 10 * GIB), frozenset())
    found = judging.judge(SPEC, seen(inside=inside)).found
    assert [one.severity for one in found] == ([told] if told else [])


def test_a_changed_password_is_told_by_its_key_since_when_and_how_it_is_taken_up():
    inside = Inside(Disk(GIB, GIB), frozenset({"sturdis-password", "password"}))
    told = only(seen(inside=inside))
    assert told.id == "password.changed"
    assert "password, sturdis-password" in told.seen
    assert "2026-11-25T10:00:00Z" in told.seen
    assert "delete pod redis-0" in told.do


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"evicted_keys": "7"}, "keys.evicted"),
        ({"aof_last_write_status": "err"}, "aof.write"),
        ({"aof_last_bgrewrite_status": "err"}, "aof.rewrite"),
        ({"used_memory": "640000000"}, "memory.full"),
        ({"rejected_connections": "3"}, "clients.limit"),
        ({"aof_delayed_fsync": "1"}, "aof.slow_disk"),
        ({"role": "slave", "master_host": "x", "master_port": "1", "master_link_status": "up"},
         "server.role"),
    ],
)  # fmt: skip
def test_what_the_server_tells_of_itself_is_a_diagnosis(fields, name):
    assert ids(seen(server=informed(**fields))) == [name]


def test_a_reply_that_is_no_pong_comes_before_what_is_minor():
    asked = replace(IN_CLUSTER, ping=Pinged("MISCONF Errors", 1.0))
    other = replace(asked, config=CONFIG | {"timeout": "5"})
    assert ids(seen(server=other)) == ["server.reply", "settings.changed"]


def test_a_container_that_was_killed_for_memory_is_told_for_an_hour():
    def sight(moment: str):
        last = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": moment}}
        killed = container(lastState=last, restartCount=1)
        return with_scene(pod=running(killed, container("redis-exporter")))

    told = only(sight("2026-11-25T11:30:00Z"))
    assert told.id == "memory.killed"
    assert "memory limit 1Gi; maxmemory 644245094 B" in told.seen
    assert ids(sight("2026-11-25T10:30:00Z")) == []


def killing(kind: str, moment: str = "2026-11-25T11:59:00Z", count: int = 2) -> dict[str, object]:
    return {
        "metadata": {"name": f"killing-{kind}", "uid": kind},
        "involvedObject": {"uid": "uid-of-pod", "fieldPath": "spec.containers{redis}"},
        "reason": "Killing",
        "message": f"Container redis failed {kind} probe, will be restarted",
        "lastTimestamp": moment,
        "count": count,
    }


def test_kills_by_a_liveness_probe_are_counted():
    told = only(with_scene(events=[killing("liveness")]))
    assert (told.id, told.seen[:7]) == ("probe.liveness", "2 times")
    assert ids(with_scene(events=[killing("liveness", "2026-11-25T10:00:00Z")])) == []


def test_kills_by_a_startup_probe_explain_the_crash_that_they_look_like():
    last = {"terminated": {"reason": "Error", "exitCode": 137, "finishedAt": "x"}}
    dying = container(ready=False, started=False, lastState=last, restartCount=2)
    found = with_scene(pod=running(dying), events=[killing("startup")])
    assert ids(found) == ["probe.startup"]


def test_an_exporter_that_crashes_is_minor_and_a_server_critical():
    last = {"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": "x"}}
    for name, severity in (("redis", Severity.CRITICAL), ("redis-exporter", Severity.MINOR)):
        told = only(with_scene(pod=running(container(name, ready=False, lastState=last))))
        assert (told.id, told.severity) == ("pod.crash", severity)


def test_a_pod_that_starts_says_what_it_waits_for():
    ending = running()
    ending["metadata"]["deletionTimestamp"] = "2026-11-25T11:59:59Z"
    told = only(with_scene(pod=ending))
    assert (told.id, "the former pod ends" in told.what) == ("pod.waiting", True)


def test_a_set_of_none_and_a_set_that_is_gone_are_told():
    none = scene().stateful_set
    assert none is not None
    idle = seen(scene=scene(pod=None, stateful_set=none | {"spec": {"replicas": 0}}), node=None)
    assert only(replace(idle, server=Unseen("x"))).id == "set.scaled_down"
    assert ids(with_scene(stateful_set=None)) == ["set.missing"]
    hidden = replace(with_scene(stateful_set=None), is_set_seen=False)
    assert ids(hidden) == [], "one that may not be seen may be there"


def test_a_node_that_may_not_be_seen_leaves_the_rest():
    found = judging.judge(SPEC, seen(node=Unseen("may not get node/node1")))
    assert (found.exit_status, [one.reason for one in found.unseen]) == (
        3,
        ["may not get node/node1"],
    )


def test_of_a_pod_on_a_silent_node_no_stale_status_is_told():
    last = {"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": "x"}}
    stale = scene(pod=running(container(ready=False, lastState=last)))
    assert ids(seen(scene=stale, node=node(ready="Unknown"))) == ["node.silent"]
