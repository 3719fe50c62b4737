"""Options of `apply` and `grow` that are refused before a cluster is asked."""

import os

import pytest

from tests.integration.running import error_code, sturdis

NOWHERE = {"KUBECONFIG": "/nonexistent/config"}


@pytest.mark.parametrize("verb", ["apply", "grow"])
@pytest.mark.parametrize("seconds", ["nan", "inf", "-inf", "-1", "soon"])
def test_a_wait_that_is_no_time_is_refused(verb, seconds):
    answer = sturdis(verb, f"--wait={seconds}", env=os.environ | NOWHERE)
    assert (answer.returncode, error_code(answer)) == (2, "usage")
    assert "--wait" in answer.stderr


@pytest.mark.parametrize("verb", ["apply", "grow"])
def test_what_is_suggested_names_the_spec_and_the_context(verb, tmp_path):
    """An API server that is not there refuses at once."""
    config = tmp_path / "config"
    config.write_text(
        "apiVersion: v1\nkind: Config\n"
        'clusters: [{name: gone, cluster: {server: "https://127.0.0.1:1"}}]\n'
        "users: [{name: nobody, user: {token: x}}]\n"
        "contexts: [{name: gone, context: {cluster: gone, user: nobody}}]\n"
    )
    answer = sturdis(verb, "--context", "gone", env={**os.environ, "KUBECONFIG": str(config)})
    assert error_code(answer) == "cluster.unreachable"
    assert "kubectl --context gone cluster-info" in answer.stderr
