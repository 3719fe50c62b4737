"""`verify --context`: a healthy deployment passes, and each thing that is broken is found."""

import json
from collections.abc import Iterator

import pytest

from sturdis.adapters.kubernetes import client_pod
from sturdis.adapters.kubernetes.api import Cluster as Api
from sturdis.core import checks
from sturdis.core.facts import Unseen
from tests.cluster import deployments
from tests.cluster.clusters import Cluster
from tests.cluster.deployments import IMAGE, POD, Deployed
from tests.integration.running import error_code, sturdis

OPEN = {"access": "warn"}

OBJECTS = (
    "service/redis",
    "service/redis-headless",
    "servicemonitor/redis",
    "prometheusrule/redis",
    "configmap/redis-config",
)
"""What can be deleted and made anew while the pod runs on."""


@pytest.fixture(scope="module")
def running(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Give one deployment without a password for all; who changes it puts it right again."""
    folder = tmp_path_factory.mktemp("running")
    with deployments.deployed(cluster, folder, lines="monitoring: {queues: [mails]}\n") as found:
        yield found


@pytest.fixture
def changed(running: Deployed) -> Iterator[Deployed]:
    """Give the same, to change: it is as its spec says afterwards."""
    yield running
    running.kubectl("delete", "--ignore-not-found", *OBJECTS)  # lists are merged, not replaced
    running.apply()


@pytest.fixture(scope="module")
def guarded(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Give one deployment with a password for all."""
    with deployments.deployed(cluster, tmp_path_factory.mktemp("guarded"), password=True) as found:
        yield found


def test_a_healthy_deployment_passes_every_check(running):
    found = running.verify()
    assert (found.status, found.not_passed) == (0, OPEN), found.checks
    assert set(found.checks) == {one.id for one in checks.CHECKS} - {checks.WHEN_ASKED}
    assert "its cgroup" in found.seen("memory.room")
    assert "/proxy/metrics" in found.seen("metrics")
    assert "redis-0 is Running and Ready" in found.seen("cluster.pod")
    pods = running.get("pods")["items"]
    assert [one["metadata"]["name"] for one in pods] == [POD], "the asking pod is gone"


@pytest.mark.parametrize(
    "engine",
    ['{kind: redis, image: "redis:7.0.15"}', '{kind: valkey, image: "valkey/valkey:9.1.2"}'],
)
def test_other_servers_of_the_matrix_pass_as_well(cluster, tmp_path, engine):
    with deployments.deployed(cluster, tmp_path, lines=f"engine: {engine}\n") as found:
        answer = found.verify("--restart", "--yes")
        assert (answer.status, answer.not_passed) == (0, OPEN), answer.checks


def test_with_a_password_nothing_is_left_to_warn_of_and_no_password_is_shown(guarded):
    found = guarded.verify()
    assert (found.status, found.not_passed) == (0, {}), found.checks
    shown = json.dumps(found.checks) + found.aside
    for answer in (guarded.sturdis("verify"), guarded.sturdis("cli", "acl", "whoami")):
        shown += answer.stdout + answer.stderr
    assert "a password is required" in shown
    assert shown.endswith("sturdis\n"), "the user that Sturdis is"
    assert not [one for one in guarded.passwords if one in shown]


@pytest.mark.parametrize(
    ("what", "patch", "told"),
    [
        ("service/redis", '{"spec": {"selector": {"app.kubernetes.io/name": "other"}}}',
         {"cluster.service": "its selector", "cluster.address": "Connection refused",
          "cluster.drift": "service/redis: spec.selector.app.kubernetes.io/name other"}),
        ("service/redis", '{"spec": {"ports": [{"name": "redis", "port": 6380}]}}',
         {"cluster.service": "no port 6379", "cluster.address": "redis"}),
        ("servicemonitor/redis", '{"spec": {"endpoints": [{"port": "metricz"}]}}',
         {"cluster.monitor": "no port metricz"}),
        ("servicemonitor/redis", '{"spec": {"selector": {"matchLabels": {"a": "b"}}}}',
         {"cluster.monitor": "a=b"}),
        ("service/redis-headless",
         '{"spec": {"ports": [{"name": "metrics", "port": 9121, "targetPort": "other"}]}}',
         {"cluster.monitor": "no port metrics leads to the pod"}),
        ("prometheusrule/redis", '{"metadata": {"labels": {"app.kubernetes.io/name": "x"}}}',
         {"cluster.drift": "prometheusrule/redis: metadata.labels.app.kubernetes.io/name x"}),
        ("configmap/redis-config", '{"data": {"redis.conf": "appendonly no"}}',
         {"cluster.drift": "configmap/redis-config: data.redis.conf appendonly no"}),
    ],
)  # fmt: skip
def test_what_was_changed_by_hand_is_found(changed, what, patch, told):
    changed.kubectl("patch", what, "--type=merge", "-p", patch)
    found = changed.verify()
    assert found.status == 1
    assert {check: found.verdict(check) for check in told} == dict.fromkeys(told, "fail")
    assert {check: part in found.seen(check) for check, part in told.items()} == (
        dict.fromkeys(told, True)
    ), found.checks
    assert "sturdis apply --context" in found.checks["cluster.drift"]["do"]


def test_another_start_script_leaves_a_known_defect_open(changed):
    script = '{"data": {"start.sh": "exec redis-server /etc/redis/redis.conf"}}'
    changed.kubectl("patch", "configmap/redis-config", "--type=merge", "-p", script)
    assert changed.verify().verdict("server.defects") == "warn"


@pytest.mark.parametrize("what", OBJECTS)
def test_what_was_deleted_is_found(changed, what):
    changed.kubectl("delete", what)
    found = changed.verify()
    assert found.verdict("cluster.drift") == "fail"
    assert f"{what} is not there" in found.seen("cluster.drift")


@pytest.mark.parametrize(
    ("line", "verdicts"),
    [
        ({"engine": '{image: "redis:7.0.15"}'}, {"cluster.image": "fail", "cluster.drift": "fail"}),
        ({"memory": "{limit: 256Mi}"}, {"cluster.drift": "fail", "configuration": "warn"}),
        ({"storage": "{size: 2Gi}"}, {"cluster.claim": "fail", "cluster.drift": "fail"}),
        ({"storage": "{size: 512Mi}"}, {"cluster.claim": "warn", "cluster.drift": "fail"}),
        ({"storage": "{class: other, size: 1Gi}"}, {"cluster.claim": "fail"}),
    ],
)
def test_what_differs_from_the_spec_is_found(running, line, verdicts):
    found = running.verify(spec=running.with_spec(**line))
    assert {check: found.verdict(check) for check in verdicts} == verdicts
    assert found.status == 1


def test_a_claim_that_has_grown_is_seen_with_its_new_size(cluster, tmp_path):
    with deployments.deployed(cluster, tmp_path) as found:
        claim = "persistentvolumeclaim/data-redis-0"
        wanted = '{"spec": {"resources": {"requests": {"storage": "2Gi"}}}}'
        found.kubectl("patch", claim, "--type=merge", "-p", wanted)
        grown = "--for=jsonpath={.status.capacity.storage}=2Gi"
        found.kubectl("wait", claim, grown, "--timeout=120s")
        assert found.verify().verdict("cluster.claim") == "warn"
        larger = found.with_spec(storage="{size: 2Gi}")
        assert found.verify(spec=larger).verdict("cluster.claim") == "pass"


def test_a_pod_that_cannot_start_is_a_verdict_with_its_reason_and_no_error(cluster, tmp_path):
    engine = 'engine: {image: "redis:8.0.99"}\n'
    with deployments.deployed(cluster, tmp_path, lines=engine, ready=False) as found:
        reason = "{.status.containerStatuses[?(@.name=='redis')].state.waiting.reason}"
        found.kubectl("wait", f"pod/{POD}", "--for=create", "--timeout=60s")
        pulled = f"--for=jsonpath={reason}=ErrImagePull"
        found.kubectl("wait", f"pod/{POD}", pulled, "--timeout=120s")
        answer = found.verify()
        assert answer.status == 1
        assert answer.verdict("cluster.pod") == "fail"
        assert "redis:8.0.99 of container redis is not pulled" in answer.seen("cluster.pod")
        assert (answer.verdict("ping"), answer.verdict("bullmq.job")) == ("unknown", "unknown")
        assert "nothing in the pod listens there" in answer.seen("ping")
        assert answer.verdict("cluster.claim") == "pass"


def test_with_read_only_no_pod_is_run_and_its_own_pod_is_asked(running):
    found = running.verify("--read-only")
    assert found.status == 3
    assert found.verdict("cluster.address") == "unknown"
    host = f"redis.{running.namespace}.svc.cluster.local"
    assert f"its own pod asked {host}: PONG" in found.seen("cluster.address")
    assert found.verdict("cluster.drift") == "pass"


def test_the_asking_pod_that_a_killed_run_left_is_removed(running):
    labels = "app.kubernetes.io/name=redis-verify,app.kubernetes.io/component=verify"
    left = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "left", "labels": dict(one.split("=") for one in labels.split(","))},
        "spec": client_pod.confined([{"name": "client", "image": IMAGE, "command": ["true"]}]),
    }
    running.cluster.apply(left, namespace=running.namespace)
    host = f"redis.{running.namespace}.svc.cluster.local"
    with Api(running.cluster.context) as api:
        client_pod.ask(api, running.spec, IMAGE, host)
        assert "left" in running.kubectl("get", "pods", "-l", labels, "-o", "name")
        client_pod.ask(api, running.spec, IMAGE, host, left_seconds=-60)
    pods = running.get("pods", "-l", labels)["items"]
    assert [one for one in pods if "deletionTimestamp" not in one["metadata"]] == []


def test_a_namespace_that_takes_no_more_pods_leaves_the_address_unknown(running):
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "full"},
        "spec": {"hard": {"pods": "1"}},
    }
    running.cluster.apply(quota, namespace=running.namespace)
    with Api(running.cluster.context) as api:
        used = "--for=jsonpath={.status.used.pods}=1"
        running.kubectl("wait", "resourcequota/full", used, "--timeout=60s")
        seen = client_pod.ask(api, running.spec, IMAGE, "redis")
    running.kubectl("delete", "resourcequota", "full")
    assert isinstance(seen, Unseen)
    assert "exceeded quota" in seen.reason


def test_another_namespace_can_be_named(running, tmp_path):
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text(running.file.read_text().replace(running.namespace, "elsewhere"))
    missed = running.sturdis("cli", "ping", spec=elsewhere)
    assert (missed.returncode, error_code(missed)) == (18, "cluster.no_pod")
    answer = running.sturdis("cli", "-n", running.namespace, "ping", spec=elsewhere)
    assert answer.stdout == "PONG\n"
    wrong = running.sturdis("cli", "-n", "No Such", "ping")
    assert (wrong.returncode, error_code(wrong)) == (2, "usage")


def test_a_report_for_ci_is_written_of_a_cluster_too(running, tmp_path):
    report = tmp_path / "verify.xml"
    running.sturdis("verify", "--junit", str(report))
    assert 'name="cluster.address"' in report.read_text()
    absent = running.sturdis("verify", "--junit", str(report), "-n", "no-such-namespace")
    assert error_code(absent) == "cluster.no_pod"
    assert '<error type="cluster.no_pod"' in report.read_text()


def test_a_cluster_that_is_not_there_is_an_error_with_what_to_type(cluster, tmp_path):
    unknown = sturdis("verify", "--context", "no-such-context")
    assert (unknown.returncode, error_code(unknown)) == (18, "cluster.unknown_context")
    nowhere = sturdis(
        "verify", "--context", cluster.context,
        env={"PATH": "", "HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "none")},
    )  # fmt: skip
    assert nowhere.returncode == 18
    assert error_code(nowhere).startswith("cluster.")


def test_a_command_to_a_server_that_does_not_listen_says_so(cluster, tmp_path):
    engine = 'engine: {image: "redis:8.0.99"}\n'
    with deployments.deployed(cluster, tmp_path, lines=engine, ready=False) as found:
        running = "--for=jsonpath={.status.containerStatuses[?(@.name=='redis-exporter')].ready}"
        found.kubectl("wait", f"pod/{POD}", "--for=create", "--timeout=60s")
        found.kubectl("wait", f"pod/{POD}", f"{running}=true", "--timeout=120s")
        answer = found.sturdis("cli", "ping")
        assert (answer.returncode, error_code(answer)) == (18, "cluster.refused")
        assert "nothing in the pod listens there" in answer.stderr
