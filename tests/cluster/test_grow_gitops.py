"""Growing a volume whose set Argo CD keeps: the way that `grow` tells, walked with Argo CD."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.clusters import Cluster
from tests.cluster.gitops import Kept, Status, kept
from tests.cluster.machine import argocd

pytestmark = pytest.mark.tier("gitops")

NAME = "redis-grow"


@pytest.fixture
def deployed(cluster: Cluster, tmp_path: Path) -> Iterator[Kept]:
    """Give a deployment of the base, by Argo CD."""
    with argocd.running(), kept(cluster, tmp_path, "base", NAME) as found:
        found.application.settled(found.repository.git("rev-parse", "HEAD"))
        yield found


def fails_at_the_set(status: Status) -> bool:
    return "updates to statefulset spec" in status.get("operationState", {}).get("message", "")


def test_the_claim_grows_the_commit_fails_at_the_set_and_the_next_attempt_makes_it_anew(deployed):
    deployed.write("kept")
    pod = deployed.get("pod", deployed.pod)["metadata"]["uid"]
    made = deployed.get("statefulset", deployed.name)["metadata"]["uid"]
    deployed.repository.spec.write_text(deployed.text("storage: {size: 12Gi}\n"))
    told = deployed.deployed.sturdis("grow", "--yes")
    assert told.returncode == 0, told.stderr
    assert f"apps/infrastructure/{NAME}/base/statefulset.yaml" in told.stderr
    claim = deployed.get("persistentvolumeclaim", f"data-{deployed.pod}")
    assert claim["status"]["capacity"]["storage"] == "12Gi"
    commit = deployed.repository.commit(deployed.text("storage: {size: 12Gi}\n"))
    deployed.application.refresh()
    deployed.application.until(fails_at_the_set)
    assert deployed.get("statefulset", deployed.name)["metadata"]["uid"] == made
    (orphaning,) = (line for line in told.stderr.splitlines() if "--cascade=orphan" in line)
    deployed.application.cluster.kubectl(*orphaning.split()[1:])
    deployed.application.settled(commit)
    stateful_set = deployed.get("statefulset", deployed.name)
    assert stateful_set["metadata"]["uid"] != made
    (template,) = stateful_set["spec"]["volumeClaimTemplates"]
    assert template["spec"]["resources"]["requests"]["storage"] == "12Gi"
    assert deployed.get("pod", deployed.pod)["metadata"]["uid"] == pod
    assert deployed.redis("get", "kept") == "value"
    again = deployed.deployed.sturdis("grow")
    assert again.stdout.strip() == f"nothing to do: data-{deployed.pod} has 12Gi"
