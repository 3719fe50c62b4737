"""`verify --context` by a user of few rights: what needs more is unknown, the rest goes on."""

from collections.abc import Iterator

import pytest

from tests.cluster import deployments
from tests.cluster.clusters import Cluster
from tests.cluster.deployments import POD, SECRET, Deployed
from tests.cluster.machine.places import LIMITED
from tests.integration.running import error_code

pytestmark = pytest.mark.usefixtures("machine")  # the user of few rights is our cluster's

LOOKING = {
    "pods": ["get"],
    "services": ["get", "list"],
    "configmaps": ["get"],
    "statefulsets": ["get"],
    "persistentvolumeclaims": ["get"],
}


@pytest.fixture(scope="module")
def guarded(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("guarded")
    with deployments.deployed(cluster, folder, password=True) as found:
        yield found


def test_a_user_who_may_not_see_the_pod_is_told_which_verb_is_missing(guarded):
    answer = guarded.sturdis("verify", context=LIMITED)
    assert (answer.returncode, error_code(answer)) == (18, "cluster.forbidden")
    assert "may not get pod/redis-0" in answer.stderr


def test_each_right_that_is_missing_leaves_its_checks_unknown_and_names_the_verb(guarded):
    deployments.grant(guarded.cluster, guarded.namespace, LIMITED, LOOKING)
    found = guarded.verify(context=LIMITED)
    assert found.status == 3
    for check, told in {
        "ping": f"may not get secret/{SECRET}",
        "bullmq.job": f"may not get secret/{SECRET}",
        "memory.overcommit": f"may not get pods/exec of {POD}",
        "metrics": "may not get /api/v1/namespaces",
        "cluster.address": "may not delete pods",
        "cluster.monitor": "may not get servicemonitor/redis",
        "cluster.drift": "may not get servicemonitor/redis",
    }.items():
        assert found.verdict(check) == "unknown"
        assert told in found.seen(check)
    for check in ("cluster.pod", "cluster.image", "cluster.claim", "cluster.service"):
        assert found.verdict(check) == "pass"


def test_a_right_that_is_there_is_used(guarded):
    ways = {f"pods/{part}": ["get", "create"] for part in ("exec", "portforward", "proxy")}
    rights = LOOKING | ways | {"secrets": ["get"]}
    deployments.grant(guarded.cluster, guarded.namespace, LIMITED, rights)
    found = guarded.verify(context=LIMITED)
    for check in ("ping", "bullmq.job", "memory.overcommit", "metrics"):
        assert found.verdict(check) == "pass"
    assert found.verdict("cluster.address") == "unknown"
    host = f"redis.{guarded.namespace}.svc.cluster.local"
    assert f"its own pod asked {host}: PONG" in found.seen("cluster.address")


def test_the_password_can_be_given_where_the_secret_may_not_be_read(guarded, tmp_path):
    rights = LOOKING | {"pods/portforward": ["get", "create"]}
    deployments.grant(guarded.cluster, guarded.namespace, LIMITED, rights)
    missed = guarded.sturdis("cli", "ping", context=LIMITED)
    assert (missed.returncode, error_code(missed)) == (18, "cluster.forbidden")
    assert f"secret/{SECRET}" in missed.stderr
    file = tmp_path / "password"
    file.write_text(guarded.passwords[2])
    file.chmod(0o600)
    given = ("--password-file", str(file))
    answer = guarded.sturdis("cli", *given, "acl", "whoami", context=LIMITED)
    assert (answer.stdout, answer.stderr) == ("sturdis\n", "")


def test_a_restart_that_is_not_allowed_is_unknown_and_the_pod_is_left(guarded):
    rights = LOOKING | {"pods/portforward": ["get", "create"], "secrets": ["get"]}
    deployments.grant(guarded.cluster, guarded.namespace, LIMITED, rights)
    before = guarded.get("pod", POD)["metadata"]["uid"]
    found = guarded.verify("--restart", "--yes", context=LIMITED)
    assert found.verdict("persistence.restart") == "unknown"
    assert "may not delete pod/redis-0" in found.seen("persistence.restart")
    assert guarded.get("pod", POD)["metadata"]["uid"] == before
