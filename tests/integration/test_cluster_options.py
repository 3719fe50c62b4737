"""What is typed to name a deployment in a cluster, and what of it does not go together."""

import os
import threading

import pytest

from tests.integration.running import error_code, sturdis

NOWHERE = {"KUBECONFIG": "/nonexistent/config"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("verify", "redis://127.0.0.1:1", "--context", "c"), "two targets are named"),
        (("cli", "--target", "redis://127.0.0.1:1", "--context", "c", "ping"), "two targets"),
        (("verify", "-n", "redis"), "-n is without --context"),
        (("cli", "-n", "redis", "ping"), "-n is without --context"),
        (("verify", "--context", "c", "--tls-ca", "ca.pem"), "--tls-… have no use with --context"),
        (("verify", "--context", "c", "-n", "../other"), "'../other' is no name of a namespace"),
        (("verify", "--context", "c", "--metrics", "ftp://x"), "the address of the metrics"),
        (("verify", "--context", ""), "the context is empty"),
        (("cli", "--context", "", "ping"), "the context is empty"),
        (("doctor", "--context", ""), "the context is empty"),
        (("apply", "--context", ""), "the context is empty"),
        (("grow", "--context="), "the context is empty"),
    ],
)
def test_what_does_not_go_together_is_refused_before_a_cluster_is_asked(words, told):
    answer = sturdis(*words, env=os.environ | NOWHERE)
    assert answer.returncode == 2
    assert error_code(answer).startswith("usage")
    assert told in answer.stderr


@pytest.mark.parametrize("verb", ["verify", "cli"])
def test_an_environment_that_the_spec_does_not_have_is_refused_first(verb, tmp_path):
    spec = tmp_path / "sturdis.yaml"
    spec.write_text("name: redis\n")
    where = ("--context", "c", "--spec", str(spec), "--env", "nope")
    answer = sturdis(verb, *where, *(["ping"] if verb == "cli" else []), env=os.environ | NOWHERE)
    assert answer.returncode == 2


@pytest.mark.parametrize("verb", ["verify", "cli"])
def test_without_a_kubeconfig_the_error_names_it(verb):
    words = ("--context", "c", *(["ping"] if verb == "cli" else []))
    answer = sturdis(verb, *words, env=os.environ | NOWHERE)
    assert answer.returncode == 18
    assert error_code(answer).startswith("cluster.")


GONE = """\
apiVersion: v1
kind: Config
clusters: [{name: gone, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: nobody, user: {token: x}}]
contexts: [{name: gone, context: {cluster: gone, user: nobody}}]
"""


def test_an_api_server_that_is_not_there_is_told_of(tmp_path):
    config = tmp_path / "config"
    config.write_text(GONE)
    for words in (("verify", "--context", "gone"), ("cli", "--context", "gone", "ping")):
        answer = sturdis(*words, env=os.environ | {"KUBECONFIG": str(config)})
        assert (answer.returncode, error_code(answer)) == (18, "cluster.unreachable")


def test_a_kubeconfig_may_come_through_a_pipe(tmp_path):
    pipe = tmp_path / "config"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_text, args=(GONE,))
    writing.start()
    answer = sturdis("verify", "--context", "gone", env=os.environ | {"KUBECONFIG": str(pipe)})
    writing.join()
    assert (answer.returncode, error_code(answer)) == (18, "cluster.unreachable")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GONE + "current-context: 5\n", "its current-context is no text"),
        (GONE + "current-context: [gone]\n", "its current-context is no text"),
    ],
)
@pytest.mark.parametrize("words", [("apply", "--dry-run"), ("verify", "--context", "gone")])
def test_a_current_context_that_is_no_name_is_told_of(tmp_path, words, text, told):
    config = tmp_path / "config"
    config.write_text(text)
    answer = sturdis(*words, env=os.environ | {"KUBECONFIG": str(config)})
    assert (answer.returncode, error_code(answer)) == (18, "cluster.kubeconfig")
    assert told in answer.stderr


@pytest.mark.parametrize(
    ("there", "wrong"),
    [
        ("user: {token: x}", "user: 5"),
        ("user: {token: x}", "user: {client-certificate: 5}"),
        ("user: {token: x}", "user: {exec: 5}"),
        ('server: "https', '"certificate-authority": [5], server: "https'),
        ("https://127.0.0.1:1", "\\0"),
        ("cluster: gone, user", "cluster: 5, user"),
    ],
)
def test_what_a_kubeconfig_says_wrongly_is_told_of(tmp_path, there, wrong):
    config = tmp_path / "config"
    config.write_text(GONE.replace(there, wrong))
    answer = sturdis(
        "cli", "--context", "gone", "ping", env=os.environ | {"KUBECONFIG": str(config)}
    )
    assert (answer.returncode, error_code(answer)) == (18, "cluster.kubeconfig")


def test_a_login_helper_that_cannot_be_run_is_told_of(tmp_path):
    helper = tmp_path / "helper"
    helper.touch()  # without the right to run it
    called = f"{{apiVersion: client.authentication.k8s.io/v1, command: {helper}}}"
    config = tmp_path / "config"
    config.write_text(GONE.replace("token: x", f"exec: {called}"))
    answer = sturdis("verify", "--context", "gone", env=os.environ | {"KUBECONFIG": str(config)})
    assert (answer.returncode, error_code(answer)) == (18, "cluster.kubeconfig")
    assert "logging in: " in answer.stderr


def test_a_folder_in_place_of_a_kubeconfig_is_named(tmp_path):
    answer = sturdis("apply", "--dry-run", env=os.environ | {"KUBECONFIG": str(tmp_path)})
    assert (answer.returncode, error_code(answer)) == (18, "cluster.kubeconfig")
    assert f"{tmp_path}: Is a directory" in answer.stderr
