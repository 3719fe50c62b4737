"""Which cluster is meant, by kubeconfigs as people have them."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import clusters
from tests.cluster.machine.places import LIMITED

ASK = """
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core.cluster import NAMESPACE, Ref
from sturdis.core.errors import SturdisError
try:
    with Cluster({context!r}) as cluster:
        print("there" if cluster.get(Ref(NAMESPACE, "default")) else "not there")
except SturdisError as error:
    print(error.code, error.why)
"""


@pytest.fixture
def parts(cluster: clusters.Cluster) -> dict[str, Any]:
    """Give what the cluster's own kubeconfig says."""
    content: dict[str, Any] = yaml.safe_load(cluster.kubeconfig.read_text())
    return {"apiVersion": "v1", "kind": "Config"} | content


def asked(*files: Path, context: str | None = None) -> str:
    """Give what was answered to who goes by these files."""
    joined = os.pathsep.join(map(str, files))
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(context=context)],
        env={**os.environ, "KUBECONFIG": joined}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return done.stdout.strip()


def write(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content))
    return path


def test_several_files_are_one_and_the_first_to_name_a_thing_wins(cluster, parts, tmp_path):
    contexts = {key: parts[key] for key in ("apiVersion", "kind", "contexts")}
    wrong = {"name": one["name"], "user": {"token": "wrong"}} if (one := parts["users"][0]) else {}
    files = (
        write(tmp_path / "a", contexts | {"current-context": cluster.context}),
        write(tmp_path / "b", {"clusters": parts["clusters"], "users": parts["users"]}),
        write(tmp_path / "c", {"users": [wrong], "current-context": "elsewhere"}),
    )
    assert asked(*files) == "there"
    assert asked(tmp_path / "none", *files) == "there"  # kubectl passes over those not there
    assert "cluster.denied" in asked(files[2], *files, context=cluster.context)


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_login_helper_is_run_for_a_token(cluster, parts, tmp_path, version):
    (user,) = (one for one in parts["users"] if one["name"] != LIMITED)
    token = user["user"].get("token")
    if token is None:
        pytest.skip("the context of this cluster has no token to hand on")
    api = f"client.authentication.k8s.io/{version}"
    helper = tmp_path / "helper"
    helper.write_text(
        f'#!/bin/sh\necho \'{{"apiVersion":"{api}","kind":"ExecCredential",'
        f'"status":{{"token":"\'$TOKEN\'"}}}}\'\n'
    )
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    called = {
        "apiVersion": api,
        "command": str(helper),
        "env": [{"name": "TOKEN", "value": token}],
        "interactiveMode": "Never",
    }
    user["user"] = {"exec": called}
    assert asked(write(tmp_path / "config", parts), context=cluster.context) == "there"
    user["user"]["exec"]["command"] = str(tmp_path / "not-there")
    told = asked(write(tmp_path / "config", parts), context=cluster.context)
    assert told.startswith("cluster.kubeconfig")


@pytest.mark.parametrize("text", ["{", "[]", "clusters: 1", "contexts: [{}]", "\x00"])
def test_what_is_no_kubeconfig_is_told_without_what_is_in_it(tmp_path, text):
    file = tmp_path / "config"
    file.write_text(f"users: [{{name: a, user: {{token: a-secret}}}}]\n{text}")
    told = asked(file)
    assert told.startswith(("cluster.kubeconfig", "cluster.none"))
    assert "a-secret" not in told


def test_without_a_current_context_none_is_guessed(cluster, parts, tmp_path):
    parts.pop("current-context", None)
    file = write(tmp_path / "config", parts)
    assert asked(file).startswith("cluster.none")
    assert asked(file, context=cluster.context) == "there"
