"""Argo CD for real: it deploys a rendered tree, keeps it as it is in Git, and leaves the data."""

import contextlib
import json
import re
from collections.abc import Iterator

import pytest

from tests.cluster import gitops
from tests.cluster.clusters import Cluster
from tests.cluster.deployments import IMAGE
from tests.cluster.gitops import Kept, kept
from tests.cluster.machine import argocd, processes

pytestmark = pytest.mark.tier("gitops")

COMPARISONS = 60 // argocd.RESYNC_SECONDS
"""How many are a minute."""
NAMES = {"base": "redis", "stage": "redis-stage", "prod": "redis-prod"}
SIZES = {"base": "10Gi", "stage": "5Gi", "prod": "20Gi"}
EVERYTHING = """\
persistence: {fsync: always}
storage: {size: 30G}
access: {passwordSecret: redis-auth, networkPolicy: true}
monitoring:
  queues: [mails, "a, b"]
  exporter: {port: 9200}
  thresholds: {connections: 500, memoryPercent: 70, waitingJobs: 5}
"""
ABSENT_IMAGE = "redis:8.0.99"
CASCADE = '{"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}}'
WAIT = "--timeout=120s"


@pytest.fixture(scope="module")
def controllers(cluster: Cluster) -> Iterator[None]:
    """Have Argo CD run."""
    with argocd.running():
        yield


@pytest.fixture(scope="module")
def environments(
    controllers: None, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Kept]]:
    """Give a deployment for each environment, when all of them are well."""
    folder = tmp_path_factory.mktemp("gitops")
    with contextlib.ExitStack() as stack:
        found = {
            one: stack.enter_context(kept(cluster, folder, one, name))
            for one, name in NAMES.items()
        }
        for one in found.values():
            one.application.settled(one.repository.git("rev-parse", "HEAD"))
        yield found


@pytest.fixture
def base(environments: dict[str, Kept]) -> Kept:
    """Give that of the base, which the tests below change; each begins with the spec as it was."""
    found = environments["base"]
    if found.repository.spec.read_text() != found.text():
        found.change()
    return found


@pytest.mark.parametrize("environment", SIZES)
def test_each_environment_serves_with_the_volume_of_its_own_size(environment, environments):
    one = environments[environment]
    claim = one.get("persistentvolumeclaim", f"data-{one.pod}")
    assert claim["spec"]["resources"]["requests"]["storage"] == SIZES[environment]
    assert one.redis("ping") == "PONG"


def test_nothing_drifts_over_a_minute_of_comparisons(environments):
    watched = {name: one.application.statuses() for name, one in environments.items()}
    for statuses in watched.values():
        next(statuses)  # begins to watch: the same minute serves for all
    for name, statuses in watched.items():
        seen = gitops.compared(statuses, COMPARISONS)
        assert {gitops.state(one) for one in seen} == {("Synced", "Healthy")}, name
        # Self-healing that runs in a loop would be Synced most of the time, too.
        assert len({one["operationState"]["finishedAt"] for one in seen}) == 1, name


def test_what_can_be_asked_for_beside_the_defaults_drifts_no_more(controllers, cluster, tmp_path):
    with kept(cluster, tmp_path, "base", "redis-everything", EVERYTHING) as one:
        one.application.until(lambda status: gitops.last_synced(status) != "")
        one.application.until(lambda status: gitops.state(status)[0] == "Synced")
        seen = gitops.compared(one.application.statuses(), 2)
        # It has no Secret and does not start; what it is made of is as in Git.
        assert {gitops.state(one)[0] for one in seen} == {"Synced"}


@pytest.mark.parametrize("environment", SIZES)
def test_verify_finds_nothing_wrong_with_what_argo_cd_deployed(environment, environments):
    one = environments[environment]
    assert one.deployed.verify(*one.chosen).not_passed == {"access": "warn"}


def test_apply_leaves_what_argo_cd_keeps_to_git(base):
    refused = base.deployed.sturdis("apply", "--yes", "--json")
    error = json.loads(refused.stdout)["error"]
    assert error["code"] == "cluster.gitops"
    assert "Application redis" in error["what"] + error["why"]


def test_a_changed_spec_rolls_out_and_keeps_the_data(base):
    base.write("before")
    base.change("memory: {limit: 160Mi}\n")
    assert base.redis("config", "get", "maxmemory").split()[1] == str(96 << 20)
    assert base.redis("get", "before") == "value"


def test_a_commit_mends_a_pod_that_another_kept_from_starting(base):
    base.write("stuck")
    text = base.text().replace(IMAGE, ABSENT_IMAGE)
    base.repository.commit(text)
    base.application.refresh()
    waits = "{.status.containerStatuses[?(@.name=='redis')].state.waiting.reason}"
    pulls = f"--for=jsonpath={waits}=ImagePullBackOff"
    base.kubectl("wait", f"pod/{base.pod}", "--for=create", WAIT)
    base.kubectl("wait", f"pod/{base.pod}", pulls, WAIT)
    base.change()
    assert base.redis("get", "stuck") == "value"


@pytest.mark.parametrize(
    ("edit", "healed"),
    [
        (
            ("scale", "statefulset/redis", "--replicas=0"),
            ("statefulset/redis", "--for=jsonpath={.spec.replicas}=1"),
        ),
        (("delete", "service", "redis"), ("service/redis", "--for=create")),
        (
            (
                "patch",
                "service",
                "redis-headless",
                "--patch",
                '{"spec": {"ports": [{"port": 9121, "name": "other"}]}}',
            ),
            ("service/redis-headless", "--for=jsonpath={.spec.ports[0].name}=redis"),
        ),
    ],
    ids=["scaled", "deleted", "patched"],
)
def test_what_was_edited_by_hand_is_healed(edit, healed, base):
    base.kubectl(*edit)
    base.kubectl("wait", *healed, WAIT)
    base.application.until(lambda status: gitops.state(status) == ("Synced", "Healthy"))
    processes.wait("it serves", base.serves)  # the pod may have to come back


def test_an_object_that_left_the_spec_is_pruned_and_the_data_stays(base):
    base.write("pruned")
    claim = base.get("persistentvolumeclaim", "data-redis-0")["metadata"]["uid"]
    assert base.get("servicemonitor", "redis")
    base.change("monitoring: {serviceMonitor: false}\n")
    base.kubectl("wait", "servicemonitor/redis", "--for=delete", WAIT)
    assert base.get("persistentvolumeclaim", "data-redis-0")["metadata"]["uid"] == claim
    assert base.redis("get", "pruned") == "value"


def test_a_namespace_that_left_git_is_not_pruned(base):
    kustomization = base.repository.folder / "apps/infrastructure/redis/base/kustomization.yaml"
    text = kustomization.read_text()
    kustomization.write_text(re.sub(r"(?m)^.*namespace\.yaml\n", "", text))
    base.repository.git("commit", "--quiet", "--all", "--message=Take the Namespace out")
    base.repository.git("push", "--quiet", "origin", "main")
    commit = base.repository.git("rev-parse", "HEAD")
    try:
        base.application.refresh()
        base.application.until(lambda status: gitops.last_synced(status) == commit)
        namespace = base.application.cluster.get("namespace", base.namespace)
        assert "deletionTimestamp" not in namespace["metadata"]
    finally:
        base.repository.git("revert", "--no-edit", "HEAD")
        base.repository.git("push", "--quiet", "origin", "main")
        base.application.settled(base.repository.git("rev-parse", "HEAD"))


def test_deleting_the_application_leaves_all_that_it_deployed(base):
    base.write("orphaned")
    pod = base.get("pod", base.pod)["metadata"]["uid"]
    base.application.kubectl("delete", "application", "redis", WAIT)
    assert base.get("pod", base.pod)["metadata"]["uid"] == pod
    apply_again(base)
    assert base.get("pod", base.pod)["metadata"]["uid"] == pod
    assert base.redis("get", "orphaned") == "value"


def test_a_deletion_that_cascades_leaves_namespace_and_data(base):
    base.write("cascaded")
    base.application.kubectl("patch", "application", "redis", "--type=merge", "--patch", CASCADE)
    base.application.kubectl("delete", "application", "redis", WAIT)
    base.kubectl("wait", f"pod/{base.pod}", "--for=delete", WAIT)
    assert base.get("persistentvolumeclaim", "data-redis-0")["status"]["phase"] == "Bound"
    apply_again(base)
    assert base.redis("get", "cascaded") == "value"


def apply_again(kept: Kept) -> None:
    """Apply the Application anew, and return when all of it is well."""
    file = kept.repository.folder / f"apps/infrastructure/{kept.name}.yaml"
    kept.application.cluster.kubectl("apply", "--filename", str(file))
    kept.application.settled(kept.repository.git("rev-parse", "HEAD"))
