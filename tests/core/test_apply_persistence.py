"""Whether data of a server that others started would be found by ours, and what else is lost."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sturdis.core.apply import objections, persistence
from sturdis.core.apply.facts import Facts
from sturdis.core.apply.persistence import Persistence, parse
from sturdis.core.cluster import SERVICE, STATEFUL_SET, Manifest, Ref
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.spec import Spec
from tests.core.cluster_objects import KUBECTL, nothing, pod, running

SPEC = Spec()
CLIENTS = Ref(SERVICE, "redis", "redis")
FILES = "config-dir:/data\nconfig-appendfilename:appendonly.aof\nconfig-appenddirname:appendonlydir"
WHOLE = (
    "# Persistence\r\nloading:0\r\naof_enabled:1\r\naof_rewrite_in_progress:0\r\n"
    "aof_rewrite_scheduled:0\r\naof_last_bgrewrite_status:ok\r\n\n"
    f"# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\n{FILES}\n"
)


def by_hand(*words: str) -> Manifest:
    """Give a pod of a server that others started with these arguments."""
    made = pod(SPEC)
    server = made["spec"]["containers"][0]
    server |= {"command": ["redis-server"], "args": list(words)}
    return made


def facts(told: Persistence | Unseen | None, *words: str, **other: Any) -> Facts:
    given = {"pod": by_hand(*words), "persistence": told} | other
    return running(SPEC, by="kubectl", operation="Update", **given)


def refusal(found: Facts, *, adopt: bool = True) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        objections.refuse(SPEC, found, adopt=adopt)
    return caught.value


def test_a_server_whose_append_only_file_is_whole_is_taken_over_without_a_word():
    objections.refuse(SPEC, facts(parse(WHOLE)), adopt=True)
    assert list(persistence.warnings(SPEC, facts(parse(WHOLE)))) == []


@pytest.mark.parametrize(
    ("before", "after", "said", "do"),
    [
        ("aof_enabled:1", "aof_enabled:0", "appendonly no", "config set appendonly yes"),
        ("in_progress:0", "in_progress:1", "still writing", "aof_rewrite_in_progress:0"),
        ("scheduled:0", "scheduled:1", "still writing", "aof_rewrite_in_progress:0"),
        ("status:ok", "status:err", "failed", "bgrewriteaof"),
        ("dir:/data", "dir:/var/lib/redis", "dir /var/lib/redis, not /data", "move its files"),
        ("appendonly.aof", "queue.aof", "appendfilename queue.aof", "move its files"),
        ("appendonlydir", "aof", "appenddirname aof", "move its files"),
    ],
)
def test_a_server_whose_data_ours_would_not_load_is_not_taken_over(before, after, said, do):
    assert WHOLE.count(before) == 1
    told = parse(WHOLE.replace(before, after))
    for found in (facts(told), facts(told, "--appendonly", "yes")):
        error = refusal(found)
        assert error.code == "cluster.claim"
        assert said in error.why
        assert do in error.do
    if "config set" in do:
        assert f"{KUBECTL} exec redis-0 -c redis -- redis-cli config set" in error.do


@pytest.mark.parametrize("told", [Unseen("you may not create pods/exec"), None])
@pytest.mark.parametrize(
    "words",
    [(), ("--appendonly", "no"), ("--appendonly", "yes", "--appendonly", "no"), ("a.conf",)],
)
def test_a_server_of_which_nothing_is_known_is_not_taken_over(told, words):
    error = refusal(facts(told, *words))
    assert error.code == "cluster.claim"
    assert "REDISCLI_AUTH" in error.do
    assert "pods/exec" in error.why or told is None


@pytest.mark.parametrize(
    "words", [("--appendonly", "yes"), ("-c", "redis-server --appendonly yes --port 6379")]
)
def test_a_server_that_cannot_be_asked_is_taken_at_its_arguments_word_and_that_is_said(words):
    found = facts(Unseen("you may not create pods/exec"), *words)
    objections.refuse(SPEC, found, adopt=True)
    (warning,) = persistence.warnings(SPEC, found)
    assert "pods/exec" in warning


@pytest.mark.parametrize("is_asked", [True, False])
def test_one_file_of_an_older_redis_is_converted_first_by_one_that_can(is_asked):
    told = parse(WHOLE.replace("redis_version:7.2.4", "redis_version:6.2.14"))
    found = facts(told if is_asked else Unseen("no"), "--appendonly", "yes")
    if not is_asked:
        assert found.pod is not None
        found.pod["spec"]["containers"][0]["image"] = "redis:6.2-alpine"
    error = refusal(found)
    assert error.code == "cluster.claim"
    assert "before 7.0" in error.why
    assert "set image statefulset/redis redis=redis:7.0" in error.do


def test_what_a_server_answers_without_its_password_is_no_answer():
    told = parse("NOAUTH Authentication required.\n\nconfig-dir:\n")
    assert isinstance(told, Unseen)
    assert "NOAUTH" in told.reason


def test_settings_that_a_server_keeps_to_itself_stand_against_nothing():
    told = parse(WHOLE.replace(FILES, "config-dir:\nconfig-appendfilename:\n"))
    assert isinstance(told, Persistence)
    assert told.settings == {}
    objections.refuse(SPEC, facts(told), adopt=True)


def test_a_set_that_never_had_a_pod_or_a_claim_has_no_data_to_lose():
    objections.refuse(SPEC, facts(None, pod=None, claim=None), adopt=True)


def test_a_set_of_others_that_was_scaled_away_is_not_taken_over_unasked():
    found = facts(None, pod=None)
    live = copy.deepcopy(dict(found.live))
    stateful_set = live[Ref(STATEFUL_SET, "redis", "redis")]
    assert stateful_set is not None
    stateful_set["spec"]["template"]["spec"]["containers"][0]["command"] = ["redis-server"]
    assert refusal(replace(found, live=live)).code == "cluster.claim"


def test_our_own_server_need_not_be_asked():
    """Neither our own set's nor one that was cut short of it, or came by kubectl."""
    assert persistence.asked(None, pod(SPEC)) is None
    assert persistence.asked(None, by_hand()) == "redis"
    ours = running(SPEC).live[Ref(STATEFUL_SET, "redis", "redis")]
    assert persistence.asked(ours, by_hand()) is None
    objections.refuse(SPEC, running(SPEC, by="kubectl", operation="Update"), adopt=True)


@pytest.mark.parametrize("adopt", [True, False])
@pytest.mark.parametrize(
    ("volumes", "said"),
    [
        ([], "in no claim"),
        ([{"name": "data", "emptyDir": {}}], "in no claim"),
        ([{"name": "data", "persistentVolumeClaim": {"claimName": "mine"}}], "in claim mine"),
    ],
)
def test_a_bare_pod_without_the_claim_of_a_set_is_never_offered_to_be_taken(adopt, volumes, said):
    bare = by_hand()
    bare["metadata"]["labels"] = {"run": "redis"}
    bare["spec"]["volumes"] = volumes
    error = refusal(nothing(SPEC, pod=bare, persistence=parse(WHOLE)), adopt=adopt)
    assert error.code == "cluster.claim"
    assert said in error.why
    assert "--adopt" not in error.do
    assert "delete pod redis-0" in error.do


def _service(found: Facts, change: Callable[[Manifest], Any]) -> Facts:
    live = copy.deepcopy(dict(found.live))
    service = live[CLIENTS]
    assert service is not None
    change(service["spec"])
    return replace(found, live=live)


@pytest.mark.parametrize(
    ("others", "said"),
    [(("redis-6d4cf-x2x7k",), "redis-6d4cf-x2x7k"), (Unseen("you may not list pods"), "list pods")],
)
def test_a_service_that_leads_to_other_pods_is_not_taken_over(others, said):
    error = refusal(facts(parse(WHOLE), led_to={CLIENTS: others}))
    assert error.code == "cluster.foreign"
    assert said in error.why


def test_a_service_that_is_led_by_hand_is_not_taken_over():
    found = _service(facts(parse(WHOLE)), lambda spec: spec.pop("selector"))
    assert "by hand" in refusal(found).why


def test_our_own_service_and_one_that_leads_nowhere_else_stand_against_nothing():
    objections.refuse(SPEC, running(SPEC, led_to={}), adopt=True)
    objections.refuse(SPEC, facts(parse(WHOLE), led_to={CLIENTS: ()}), adopt=True)
