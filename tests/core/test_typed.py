"""Suggested commands act on the deployment and in the cluster that were named."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.typed import Typed

ALL = Typed("test", "jj.yaml", "stage")
NAMED = "--context test --spec jj.yaml --env stage"


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("sturdis apply --yes", f"sturdis apply {NAMED} --yes"),
        ("sturdis grow, then apply again", f"sturdis grow {NAMED}, then apply again"),
        ("sturdis render -o DIR", "sturdis render --spec jj.yaml --env stage -o DIR"),
        ("sturdis apply --context test --yes", "sturdis apply --context test --yes"),
        ("kubectl get nodes", "kubectl --context test get nodes"),
        ("kubectl --context test get nodes", "kubectl --context test get nodes"),
        ("kubectl config get-contexts", "kubectl config get-contexts"),
        ("write size: 5Gi into the spec", "write size: 5Gi into the spec"),
    ],
)
def test_a_command_names_what_it_is_about(text, completed):
    assert ALL.completed(text) == completed


def test_what_was_not_typed_is_not_added():
    text = "sturdis apply --adopt, or kubectl get pods"
    assert Typed().completed(text) == text


def test_the_context_that_was_found_to_be_meant_is_named():
    found = Typed(None, "a.yaml").at("kubectl --context 'my ctx' -n redis")
    assert found.command("verify") == "sturdis verify --context 'my ctx' --spec a.yaml"


@given(words=st.tuples(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1)))
def test_a_shell_reads_back_what_was_typed_and_nothing_is_added_twice(words):
    typed = Typed(*words)
    text = typed.command("apply", "--yes")
    assert shlex.split(text)[2:-1] == [
        "--context", words[0], "--spec", words[1], "--env", words[2],
    ]  # fmt: skip
    assert typed.completed("kubectl get pods").startswith("kubectl --context ")
