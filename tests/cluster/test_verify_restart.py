"""`verify --context --restart`: the pod is deleted, and its data is in the next one."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.cluster import deployments
from tests.cluster.clusters import Cluster
from tests.cluster.deployments import POD, Deployed
from tests.integration.running import error_code

CHECK = "persistence.restart"


@pytest.fixture(scope="module", params=[False, True], ids=["open", "password"])
def running(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("running")
    with deployments.deployed(cluster, folder, password=request.param) as found:
        yield found


def uid(running: Deployed) -> str:
    return str(running.get("pod", POD)["metadata"]["uid"])


def test_a_deleted_pod_comes_back_with_its_data_and_the_downtime_is_told(running):
    before = uid(running)
    assert running.sturdis("cli", "set", "mine", "1").stdout == "OK\n"
    found = running.verify("--restart", "--yes")
    assert found.verdict(CHECK) == "pass"
    assert "still there; down for" in found.seen(CHECK)
    assert "delete the pod" in found.aside, "the plan"
    assert uid(running) != before
    assert running.sturdis("cli", "get", "mine").stdout == "1\n"
    assert running.sturdis("cli", "keys", "sturdis:verify*").stdout.strip() == ""


def test_no_pod_is_deleted_without_a_yes(running):
    before = uid(running)
    answer = running.sturdis("verify", "--restart", stdin=subprocess.DEVNULL)
    assert answer.returncode == 2
    told = answer.stderr[answer.stderr.index("error[") :]
    assert error_code(subprocess.CompletedProcess([], 2, "", told)) == "usage.not_agreed"
    assert f"--context {running.cluster.context}" in told
    assert uid(running) == before


def test_with_read_only_no_pod_is_deleted(running):
    before = uid(running)
    found = running.verify("--restart", "--yes", "--read-only")
    assert found.verdict(CHECK) == "unknown"
    assert uid(running) == before


def test_a_server_that_ended_by_itself_is_warned_of_with_how_it_ended(running):
    assert running.sturdis("cli", "shutdown").returncode == 0
    restarted = "--for=jsonpath={.status.containerStatuses[?(@.name=='redis')].restartCount}=1"
    running.kubectl("wait", f"pod/{POD}", restarted, "--timeout=60s")
    running.kubectl("wait", f"pod/{POD}", "--for=condition=Ready", "--timeout=60s")
    found = running.verify()
    assert found.verdict("cluster.pod") == "warn"
    assert "container redis was restarted once, last after" in found.seen("cluster.pod")
