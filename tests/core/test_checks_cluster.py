from collections.abc import Callable
from typing import Any

import pytest

from sturdis.core import checks, cluster_place
from sturdis.core.checks import cluster_pod
from sturdis.core.cluster import (
    CONFIG_MAP,
    NAMESPACE,
    NETWORK_POLICY,
    SERVICE,
    SERVICE_MONITOR,
    STATEFUL_SET,
    Manifest,
    Ref,
)
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.cluster_facts import Asked
from sturdis.core.facts import NOT_TRIED, NotVisible, Unseen
from sturdis.core.report import Verdict
from sturdis.core.spec import Monitoring, Spec
from sturdis.core.spec.cluster import Access, Storage
from tests.core.healthy import HEALTHY, finding, not_passed
from tests.core.in_cluster import (
    CLAIM_SEEN,
    IN_CLUSTER,
    LIVE,
    changed,
    put,
    seen,
    with_claim,
    with_live,
    with_pod,
)

MONITOR = Ref(SERVICE_MONITOR, "redis", "redis")
OPEN = {"access": Verdict.WARN}
"""The defaults have no password, and in a cluster every pod reaches the port."""


def container(**state: Any) -> Callable[[Manifest], None]:
    """Make a change: the pod is not ready, and its server's container is so."""

    def change(pod: Manifest) -> None:
        pod["status"]["conditions"][0]["status"] = "False"
        pod["status"]["containerStatuses"][0] = {
            "name": "redis", "image": "redis:8.0.5", "ready": False, "restartCount": 0, **state,
        }  # fmt: skip

    return change


def test_a_healthy_deployment_passes_every_check():
    facts = seen(live=LIVE | {Ref(NETWORK_POLICY, "redis", "redis"): {}})
    assert not_passed(facts) == {}
    assert checks.check(Spec(), facts).counts == "35 checks: 35 pass"


def test_the_checks_of_a_cluster_are_listed_for_a_cluster_alone():
    listed = {one.check for one in checks.check(Spec(), HEALTHY).findings}
    within = {one.check for one in checks.check(Spec(), IN_CLUSTER).findings}
    assert within - listed == checks.IN_CLUSTER
    assert all(check.startswith("cluster.") for check in checks.IN_CLUSTER)


def test_an_open_port_in_a_cluster_is_warned_of_with_what_closes_it():
    assert not_passed(IN_CLUSTER) == OPEN
    told = finding(IN_CLUSTER, "access")
    assert "passwordSecret" in told.do
    assert "sturdis apply --context test" in told.do


@pytest.mark.parametrize(
    ("facts", "check", "verdict", "told"),
    [
        (
            with_pod(container(state={"waiting": {"reason": "ImagePullBackOff", "message": "no"}})),
            "cluster.pod", Verdict.FAIL, "redis:8.0.5 of container redis is not pulled: no",
        ),
        (
            with_pod(
                container(
                    state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                    lastState={"terminated": {"reason": "OOMKilled", "exitCode": 137}},
                )
            ),
            "cluster.pod", Verdict.FAIL, "killed for want of memory",
        ),
        (
            with_pod(container(state={"running": {}})),
            "cluster.pod", Verdict.FAIL, "not ready: container redis",
        ),
        (
            with_pod(put("metadata", "deletionTimestamp", value="2026-11-25T10:00:00Z")),
            "cluster.pod", Verdict.FAIL, "ending since 2026-11-25T10:00:00Z",
        ),
        (
            with_pod(put("status", "containerStatuses", 0, "restartCount", value=2)),
            "cluster.pod", Verdict.WARN, "restarted 2 times",
        ),
        (
            with_live(STATEFUL_SET, put("status", value={"updateRevision": "redis-2"})),
            "cluster.pod", Verdict.WARN, "newer revision",
        ),
        (
            with_pod(put("spec", "containers", 0, "image", value="redis:7.2.0")),
            "cluster.image", Verdict.FAIL, "redis runs redis:7.2.0, not redis:8.0.5",
        ),
        (
            with_pod(put("spec", "containers", 1, "image", value="a.test/exporter:latest")),
            "cluster.image", Verdict.FAIL, "a tag that moves",
        ),
        (
            with_live(STATEFUL_SET, put("spec", "replicas", value=3)),
            "cluster.drift", Verdict.FAIL, "statefulset/redis: spec.replicas 3, not 1",
        ),
        (
            seen(live=LIVE | {Ref(CONFIG_MAP, "redis-config", "redis"): None}),
            "cluster.drift", Verdict.FAIL, "configmap/redis-config is not there",
        ),
        (
            seen(live=LIVE | {Ref(CONFIG_MAP, "redis-config", "redis"): Unseen("may not")}),
            "cluster.drift", Verdict.UNKNOWN, "configmap/redis-config: may not",
        ),
        (
            with_claim(put("status", "phase", value="Pending")),
            "cluster.claim", Verdict.FAIL, "data-redis-0 is Pending",
        ),
        (
            with_claim(put("spec", "storageClassName", value="standard")),
            "cluster.claim", Verdict.FAIL, "standard, not longhorn-replicated",
        ),
        (
            with_claim(put("status", "capacity", "storage", value="5Gi")),
            "cluster.claim", Verdict.FAIL, "growing to 10Gi",
        ),
        (
            with_claim(put("spec", "resources", "requests", "storage", value="20Gi")),
            "cluster.claim", Verdict.WARN, "growing to 20Gi",
        ),
        (
            seen(claim=None), "cluster.claim", Verdict.FAIL, "data-redis-0 is not there",
        ),
        (
            seen(claim=Unseen("the user may not get it")),
            "cluster.claim", Verdict.UNKNOWN, "may not get",
        ),
        (
            with_live(SERVICE, put("spec", "selector", value={"app": "other"})),
            "cluster.service", Verdict.FAIL, "its selector app=other",
        ),
        (
            with_live(SERVICE, put("spec", "selector", value=None)),
            "cluster.service", Verdict.FAIL, "its selector (none)",
        ),
        (
            with_live(SERVICE, put("spec", "ports", 0, "port", value=6380)),
            "cluster.service", Verdict.FAIL, "no port 6379",
        ),
        (
            with_live(SERVICE, put("spec", "ports", 0, "targetPort", value="metrics")),
            "cluster.service", Verdict.FAIL, "leads to metrics",
        ),
        (
            with_live(SERVICE, put("spec", "clusterIP", value="None")),
            "cluster.service", Verdict.WARN, "headless",
        ),
        (
            seen(live=LIVE | {Ref(SERVICE, "redis", "redis"): None}),
            "cluster.service", Verdict.FAIL, "service/redis is not there",
        ),
        (
            seen(from_another_pod=Asked("Could not connect: Name or service not known", "")),
            "cluster.address", Verdict.FAIL, "Name or service not known",
        ),
        (
            seen(from_another_pod=NOT_TRIED),
            "cluster.address", Verdict.UNKNOWN, "--read-only; its own pod asked redis.redis.svc",
        ),
        (
            seen(from_another_pod=Unseen("quota"), from_its_own_pod=Unseen("no exec")),
            "cluster.address", Verdict.UNKNOWN, "quota",
        ),
        (
            with_live(SERVICE_MONITOR, put("spec", "endpoints", 0, "port", value="metricz")),
            "cluster.monitor", Verdict.FAIL, "no port metricz",
        ),
        (
            with_live(SERVICE_MONITOR, put("spec", "selector", "matchLabels", value={"a": "b"})),
            "cluster.monitor", Verdict.FAIL, "labelled a=b",
        ),
        (
            seen(live=LIVE | {MONITOR: None}),
            "cluster.monitor", Verdict.FAIL, "servicemonitor/redis is not there",
        ),
        (
            seen(live=LIVE | {MONITOR: NotVisible("the cluster does not know ServiceMonitor")}),
            "cluster.monitor", Verdict.WARN, "does not know ServiceMonitor",
        ),
        (
            with_live(
                SERVICE_MONITOR, put("spec", "namespaceSelector", value={"matchNames": ["x"]})
            ),
            "cluster.monitor", Verdict.FAIL, "looks in namespace x alone",
        ),
        (
            seen(services=Unseen("may not list")),
            "cluster.monitor", Verdict.UNKNOWN, "may not list",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_cluster_is_found(facts, check, verdict, told):
    answer = finding(facts, check)
    assert (answer.verdict, told in answer.seen) == (verdict, True), answer.seen
    assert answer.do


@pytest.mark.parametrize("reply", ["PONG", "NOAUTH Authentication required.", "LOADING Redis is"])
def test_any_reply_of_a_server_shows_that_its_address_leads_there(reply):
    assert finding(seen(from_another_pod=Asked(reply, "")), "cluster.address").verdict is (
        Verdict.PASS
    )


def test_a_claim_that_is_larger_than_the_spec_is_warned_of_and_a_smaller_one_fails():
    larger = finding(IN_CLUSTER, "cluster.claim", Spec(storage=Storage(size="5Gi")))
    smaller = finding(IN_CLUSTER, "cluster.claim", Spec(storage=Storage(size="20Gi")))
    assert (larger.verdict, smaller.verdict) == (Verdict.WARN, Verdict.FAIL)
    assert "storage.size: 10Gi" in larger.do
    assert smaller.do == "sturdis grow --context test"


def test_no_monitor_is_looked_for_where_the_spec_wants_none():
    spec = Spec(monitoring=Monitoring(service_monitor=False))
    assert finding(IN_CLUSTER, "cluster.monitor", spec).verdict is Verdict.NOT_APPLICABLE


def test_kinds_that_the_cluster_does_not_know_are_no_drift():
    facts = seen(live=LIVE | {MONITOR: NotVisible("not known")})
    answer = finding(facts, "cluster.drift")
    assert (answer.verdict, "apart from" in answer.seen) == (Verdict.PASS, True)


OURS = put("metadata", "managedFields", value=[{"manager": "sturdis", "operation": "Apply"}])


def test_a_namespace_that_others_made_is_no_drift_and_is_named():
    ref = Ref(NAMESPACE, "redis")
    bare = changed(LIVE[ref], put("metadata", "labels", value={"team": "a"}))
    answer = finding(seen(live=LIVE | {ref: bare}), "cluster.drift")
    assert answer.verdict is Verdict.PASS
    assert "namespace/redis: others made it" in answer.seen
    by_us = changed(bare, OURS)
    assert finding(seen(live=LIVE | {ref: by_us}), "cluster.drift").verdict is Verdict.FAIL
    labels = LIVE[ref]["metadata"]["labels"] | {"pod-security.kubernetes.io/enforce": "baseline"}
    from_the_tree = changed(LIVE[ref], put("metadata", "labels", value=labels))
    assert finding(seen(live=LIVE | {ref: from_the_tree}), "cluster.drift").verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("redis:8.0.5", True),
        ("redis", False),
        ("redis:latest", False),
        ("registry.test:5000/redis", False),
        ("registry.test:5000/redis:8", True),
        ("redis@sha256:" + "a" * 64, True),
    ],
)
def test_an_image_is_pinned_by_a_digest_or_a_tag_that_stays(image, pinned):
    assert cluster_pod.is_pinned(image) is pinned


def test_a_network_policy_is_part_of_what_is_compared():
    spec = Spec(access=Access(network_policy=True))
    wanted = cluster_place.place(spec, ClusterRequest("test")).wanted
    answer = finding(seen(wanted=wanted), "cluster.drift", spec)
    assert (answer.verdict, answer.seen) == (Verdict.FAIL, "networkpolicy/redis is not there")


def test_a_claim_without_a_status_is_told_of_and_not_a_crash():
    bare = {key: value for key, value in CLAIM_SEEN.items() if key != "status"}
    assert finding(seen(claim=bare), "cluster.claim").verdict is Verdict.FAIL
