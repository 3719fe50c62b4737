"""How far a deployment is, and when it serves."""

from sturdis.core.apply import progress
from sturdis.core.cluster_troubles import Scene, Trouble
from tests.core.test_cluster_troubles import container, scene


def serving() -> Scene:
    found = scene(container(ready=True))
    assert found.pod is not None
    found.pod["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return found


def test_it_serves_when_the_pod_of_the_last_revision_is_ready():
    assert progress.serves(serving())


def test_it_does_not_serve_before_the_set_was_looked_at():
    found = serving()
    assert found.stateful_set is not None
    found.stateful_set["metadata"]["generation"] = 3
    assert not progress.serves(found)


def test_it_does_not_serve_by_the_pod_before():
    found = serving()
    assert found.pod is not None
    found.pod["metadata"]["labels"]["controller-revision-hash"] = "redis-0"
    assert not progress.serves(found)
    found.pod["metadata"]["deletionTimestamp"] = "2026-11-25T12:00:00Z"
    assert "former" in progress.stage(found)


def test_a_trouble_is_told_of_when_it_has_lasted():
    patience = progress.Patience()
    one = Trouble("claim", "a", "b", "c")
    assert patience.lasting([one], 0.0) == ()
    assert patience.lasting([], 1.0) == ()
    assert patience.lasting([one], 2.0) == ()
    assert patience.lasting([one], 2.0 + progress.PATIENCE_SECONDS) == (one,)
