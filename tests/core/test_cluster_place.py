from sturdis.core import cluster_place
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.facts import Unseen
from tests.core.in_cluster import LIVE, PLACE, POD_SEEN, changed, put


def test_the_guard_is_there_where_the_start_script_of_the_spec_runs():
    config = LIVE[PLACE.config]
    other = changed(config, put("data", "start.sh", value="exec redis-server\n"))
    bare = changed(POD_SEEN, put("spec", "containers", 0, "command", value=["redis-server"]))
    assert cluster_place.is_guarded(PLACE, POD_SEEN, config)
    assert not cluster_place.is_guarded(PLACE, bare, config)
    assert not cluster_place.is_guarded(PLACE, POD_SEEN, other)
    assert not cluster_place.is_guarded(PLACE, POD_SEEN, Unseen("may not"))


def test_what_is_typed_names_the_context_and_the_spec_and_is_quoted():
    asked = ClusterRequest("my ctx", "other", "a b.yaml", "stage", "secret", "/p")
    assert asked.cli == (
        "sturdis cli --context 'my ctx' -n other --spec 'a b.yaml' --env stage --password-file /p"
    )
    assert asked.apply == "sturdis apply --context 'my ctx' --spec 'a b.yaml' --env stage"
    assert asked.kubectl("other") == "kubectl --context 'my ctx' -n other"
    assert "secret" not in repr(asked)
