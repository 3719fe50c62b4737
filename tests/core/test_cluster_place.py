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


ASKED = ClusterRequest("my ctx", "other", "a b.yaml", "stage", "secret", "/p")
SPEC = "--spec 'a b.yaml' --env stage"


def test_what_is_typed_names_the_context_and_the_spec_and_is_quoted():
    assert ASKED.cli == f"sturdis cli --context 'my ctx' -n other {SPEC} --password-file /p"
    assert ASKED.verify == f"sturdis verify --context 'my ctx' -n other {SPEC} --password-file /p"
    assert ASKED.doctor == f"sturdis doctor --context 'my ctx' -n other {SPEC} --password-file /p"
    assert ASKED.kubectl("other") == "kubectl --context 'my ctx' -n other"
    assert "secret" not in repr(ASKED)


def test_what_changes_the_namespace_of_the_spec_is_named_for_no_other():
    verbs = {"apply": ASKED.apply, "grow": ASKED.grow}
    for verb, typed in verbs.items():
        plain = f"sturdis {verb} --context 'my ctx' {SPEC}"
        assert typed == f"with namespace: other in the spec, {plain}"
        assert getattr(ASKED.of_spec("other"), verb) == plain
        assert getattr(ASKED.of_spec("redis"), verb) == typed


def test_without_a_context_none_is_typed():
    assert ClusterRequest().verify == "sturdis verify"
    assert ClusterRequest().kubectl("redis") == "kubectl -n redis"
