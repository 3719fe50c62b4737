"""`grow` on a real cluster: the pod runs on, whatever cuts it short."""

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.deployment import Deployment
from sturdis.core.apply.facts import Facts, Right
from sturdis.core.apply.plan import Step
from sturdis.core.cluster import Manifest, Ref
from sturdis.core.cluster_troubles import Scene
from sturdis.core.facts import Unseen
from sturdis.core.render import objects
from sturdis.flows import grow as flow
from tests.cluster.applying import changed
from tests.cluster.growing import Growing

RESTARTED = "kubectl.kubernetes.io/restartedAt"


@pytest.fixture
def growing(cluster, tmp_path) -> Iterator[Growing]:
    """Give a deployment of 1Gi that serves."""
    with cluster.namespace(f"sturdis-{uuid.uuid4().hex[:8]}", create=False) as name:
        found = Growing(cluster, name, tmp_path)
        found.sized("1Gi")
        found.apply()
        yield found


def test_a_volume_grows_under_a_writer_and_nothing_restarts(growing, capsys):
    pod, run_id = growing.pod(), growing.run_id()
    with growing.written_to() as writer:
        writer.writes(50)
        growing.sized("2Gi")
        assert "sturdis grow" in growing.refused()["do"]
        shown = growing.try_grow("--dry-run")
        assert "grow       persistentvolumeclaim/data-redis-0: 1Gi → 2Gi" in shown.stdout
        assert growing.sizes() == ("1Gi", "1Gi", "1Gi")
        told = growing.grow()
        growing.settle()
        writer.writes(50)
    with capsys.disabled():
        print(f"\ngrown in {told['seconds']} s, {writer.last} writes acknowledged")  # noqa: T201
    assert told["podRanOn"]
    assert growing.sizes() == ("2Gi", "2Gi", "2Gi")
    assert (growing.pod(), growing.run_id()) == (pod, run_id)
    assert int(growing.redis("get", "written")) >= writer.last
    owner = growing.get("pod", "redis-0")["metadata"]["ownerReferences"][0]
    assert owner["uid"] == growing.stateful_set()["metadata"]["uid"]


def test_what_has_grown_is_left_alone_by_grow_and_by_apply(growing):
    growing.sized("2Gi")
    growing.grow()
    made = growing.stateful_set()["metadata"]["uid"]
    again = growing.try_grow()
    assert (again.returncode, again.stdout.strip()) == (0, "nothing to do: data-redis-0 has 2Gi")
    assert changed(growing.apply()) == {}
    assert growing.stateful_set()["metadata"]["uid"] == made


def test_without_an_agreement_nothing_is_changed(growing):
    growing.sized("2Gi")
    done = growing.try_grow()
    assert done.returncode == 2
    assert "error[usage.not_agreed]" in done.stderr
    assert growing.sizes() == ("1Gi", "1Gi", "1Gi")


def test_what_the_spec_changes_beside_waits_for_apply(growing):
    pod = growing.pod()
    growing.sized("2Gi", memory={"limit": "192Mi"})
    told = growing.grow()
    growing.settle()
    assert growing.pod() == pod
    assert any("sturdis apply brings it" in one for one in told["warnings"])
    assert changed(growing.apply())["statefulset/redis"] == "change"
    assert growing.pod() != pod
    assert growing.sizes() == ("2Gi", "2Gi", "2Gi")


def test_what_others_wrote_into_the_template_stays(growing):
    growing.kubectl("rollout", "restart", "statefulset/redis")
    growing.settle()
    pod = growing.pod()
    growing.sized("2Gi")
    growing.grow()
    growing.settle()
    assert growing.pod() == pod
    assert RESTARTED in growing.stateful_set()["spec"]["template"]["metadata"]["annotations"]


# Cut short


class CutOffError(Exception):
    """The run ends here."""


@dataclass(frozen=True)
class Cut:
    """A deployment in a cluster, and the write behind which the run ends."""

    place: Deployment
    behind: str

    def version(self) -> tuple[int, int]:
        return self.place.version()

    def look(self) -> Facts:
        return self.place.look()

    def template_of(self, pod: Manifest) -> Manifest | Unseen | None:
        return self.place.template_of(pod)

    def missing(self, rights: Sequence[Right]) -> list[Right]:
        return self.place.missing(rights)

    def scenes(self, seconds: float) -> Iterator[Scene]:
        return self.place.scenes(seconds)

    def merge(self, ref: Ref, changes: Manifest) -> None:
        self.place.merge(ref, changes)
        self._end("the claim is asked")

    def delete(self, ref: Ref, uid: str, *, orphan: bool) -> None:
        if self.behind == "the set is told to go":
            self.place.cluster.delete(ref, orphan=orphan, uid=uid)
            raise CutOffError
        self.place.delete(ref, uid, orphan=orphan)
        self._end("the set is gone")

    def apply(self, manifest: Manifest, *, force: bool) -> None:
        self.place.apply(manifest, force=force)
        self._end("the set is made")

    def _end(self, behind: str) -> None:
        if behind == self.behind:
            raise CutOffError


def cut_off(growing: Growing, behind: str) -> None:
    """Grow, and end behind one write."""
    spec = growing.read()
    rendered = tuple(objects.deployment(spec).values())
    (stateful_set,) = (one for one in rendered if one["kind"] == "StatefulSet")
    telling = flow.Telling(lambda _growth: True, _unheard, lambda _waiting: None, lambda: 0.0)
    with Cluster(growing.cluster.context) as cluster:
        place = Cut(Deployment(cluster, spec, rendered), behind)
        with pytest.raises(CutOffError):
            flow.grow(flow.Growing(spec, stateful_set, 60.0), place, telling)


def _unheard(_step: Step) -> None: ...


@pytest.mark.parametrize(
    ("behind", "rest"),
    [
        ("the claim is asked", ["re-create"]),
        ("the set is told to go", None),
        ("the set is gone", ["create"]),
        ("the set is made", []),
    ],
)
def test_a_run_cut_off_is_completed_by_the_next_and_nothing_restarts(growing, behind, rest):
    pod, run_id = growing.pod(), growing.run_id()
    growing.sized("2Gi", memory={"limit": "192Mi"})  # for which apply would restart it
    cut_off(growing, behind)
    told = growing.grow()
    growing.settle()
    assert rest is None or [one["action"] for one in told["steps"]] == rest
    assert growing.sizes() == ("2Gi", "2Gi", "2Gi")
    assert (growing.pod(), growing.run_id()) == (pod, run_id)


# Kept in Git


def kept_by_argo_cd(growing: Growing) -> None:
    """Have the set as Argo CD would leave it."""
    tracking = f"argocd.argoproj.io/tracking-id=redis:apps/StatefulSet:{growing.namespace}/redis"
    growing.kubectl("annotate", "statefulset", "redis", tracking)


def test_what_argo_cd_keeps_is_not_written_and_what_to_commit_is_told(growing):
    kept_by_argo_cd(growing)
    pod, before = growing.pod(), growing.stateful_set()["metadata"]
    growing.sized("2Gi")
    done = growing.try_grow("--yes")
    assert done.returncode == 0, done.stderr
    assert growing.sizes() == ("2Gi", "2Gi", "1Gi")
    after = growing.stateful_set()["metadata"]
    same = ("uid", "generation", "annotations")
    assert [after[key] for key in same] == [before[key] for key in same]
    assert "apps/infrastructure/redis/base/statefulset.yaml" in done.stderr
    (orphaning,) = (line for line in done.stderr.splitlines() if "--cascade=orphan" in line)
    # What is told, done as a person and Argo CD would: the set deleted, the commit synced.
    growing.cluster.kubectl(*orphaning.split()[1:])
    (rendered,) = (
        one for one in objects.deployment(growing.read()).values() if one["kind"] == "StatefulSet"
    )
    sync = ("--server-side", "--field-manager=argocd-controller", "-f", "-")
    growing.cluster.kubectl("apply", *sync, given=json.dumps(rendered))
    growing.settle()
    assert growing.pod() == pod
    assert growing.sizes() == ("2Gi", "2Gi", "2Gi")
    again = growing.try_grow()
    assert again.stdout.strip() == "nothing to do: data-redis-0 has 2Gi"
