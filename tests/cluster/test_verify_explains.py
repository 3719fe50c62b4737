"""What `verify` and `cli` say to type is of this deployment, and errors name what people know."""

import base64
import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import deployments
from tests.cluster.applying import Applying
from tests.cluster.clusters import Cluster
from tests.cluster.deployments import POD, SECRET, Deployed
from tests.integration.running import error_code, sturdis


@pytest.fixture(scope="module")
def guarded(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Give one deployment with a password for all; the Secret's is another by now."""
    folder = tmp_path_factory.mktemp("guarded")
    with deployments.deployed(cluster, folder, password=True) as found:
        other = base64.b64encode(secrets.token_hex(12).encode()).decode()
        patch = json.dumps({"data": {"sturdis-password": other}})
        file = folder / "patch"
        file.write_text(patch)
        found.kubectl("patch", "secret", SECRET, "--type=merge", "--patch-file", str(file))
        yield found


def test_a_secret_that_was_changed_under_the_server_is_named_with_its_key(guarded):
    answer = guarded.sturdis("cli", "ping", env=os.environ | {"REDISCLI_AUTH": "does not count"})
    assert (answer.returncode, error_code(answer)) == (14, "access.denied")
    assert f"secret/{SECRET}" in answer.stderr
    assert "sturdis-password" in answer.stderr
    context, namespace = guarded.cluster.context, guarded.namespace
    assert f"kubectl --context {context} -n {namespace} delete pod {POD}" in answer.stderr
    assert "unix:" not in answer.stderr
    assert "REDISCLI_AUTH" not in answer.stderr


def test_the_checks_that_a_refused_password_leaves_open_name_the_pod(guarded):
    found = guarded.verify()
    assert found.verdict("ping") == "unknown"
    assert f"secret/{SECRET}" in found.seen("ping")
    assert "unix:" not in json.dumps(found.checks)


def test_a_password_that_was_given_is_the_one_that_is_refused(guarded, tmp_path):
    file = tmp_path / "password"
    file.write_text("wrong")
    file.chmod(0o600)
    answer = guarded.sturdis("cli", "--password-file", str(file), "ping")
    assert (answer.returncode, error_code(answer)) == (14, "access.denied")
    assert "the password given for the user sturdis" in answer.stderr
    file.write_text(guarded.passwords[2])
    assert guarded.sturdis("cli", "--password-file", str(file), "ping").stdout == "PONG\n"


def test_a_server_with_a_password_that_the_spec_does_not_know_of_is_told(guarded):
    lines = guarded.file.read_text().splitlines(keepends=True)
    other = guarded.file.with_name("open.yaml")
    other.write_text("".join(line for line in lines if not line.startswith("access:")))
    answer = guarded.sturdis("cli", "ping", spec=other)
    assert (answer.returncode, error_code(answer)) == (14, "access.denied")
    assert "access.passwordSecret" in answer.stderr


def test_no_apply_is_named_that_would_act_on_another_namespace(guarded, tmp_path):
    elsewhere = tmp_path / "elsewhere.yaml"
    text = guarded.file.read_text().replace(guarded.namespace, "elsewhere")
    elsewhere.write_text(text.replace("limit: 128Mi", "limit: 256Mi"))
    found = guarded.verify("-n", guarded.namespace, spec=elsewhere)
    context = guarded.cluster.context
    apply = f"sturdis apply --context {context} --spec {elsewhere}"
    do = found.checks["cluster.drift"]["do"]
    assert do == f"with namespace: {guarded.namespace} in the spec, {apply}"
    asked = guarded.sturdis(
        "verify", "-n", guarded.namespace, "--restart", spec=elsewhere, input=""
    )
    again = f"sturdis verify --context {context} -n {guarded.namespace} --spec {elsewhere}"
    assert f"{again} --restart --yes" in asked.stderr


def test_a_folder_for_temporary_files_may_have_a_long_path(guarded, tmp_path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    file = tmp_path / "password"
    file.write_text(guarded.passwords[2])
    file.chmod(0o600)
    env = os.environ | {"TMPDIR": str(folder)}
    answer = guarded.sturdis("cli", "--password-file", str(file), "ping", env=env)
    assert (answer.stdout, answer.stderr) == ("PONG\n", "")
    assert list(folder.iterdir()) == []


DOCUMENT = Path(__file__).parents[2] / "docs" / "commands.md"


def documented(namespace: str, kubectl: str) -> str:
    """Give the documented commands that make the Secret, for another namespace."""
    found = re.search(r"```sh\n(kubectl apply .*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found, "docs/commands.md does not say how the Secret is made"
    return found[1].replace("-n redis ", f"-n {namespace} ").replace("kubectl ", f"{kubectl} ")


def test_the_documented_way_to_a_password_ends_in_a_deployment_that_passes(cluster, tmp_path):
    name = f"sturdis-{secrets.token_hex(4)}"
    with cluster.namespace(name, create=False):
        applying = Applying(cluster, name, tmp_path)
        gitops = {"repoURL": "ssh://git.test/app.git"}
        spec = applying.spec(access={"passwordSecret": SECRET}, gitops=gitops)
        assert sturdis("render", "--spec", str(spec), "-o", str(tmp_path)).returncode == 0
        kubectl = f"{cluster.program} --context {cluster.context}"
        subprocess.run(["sh", "-ec", documented(name, kubectl)], cwd=tmp_path, check=True)
        applying.apply()
        where = ("--context", cluster.context, "--spec", str(spec))
        answer = sturdis("verify", *where, "--json", timeout=300)
        checks = {one["id"]: one for one in json.loads(answer.stdout)["checks"]}
        assert answer.returncode == 0, checks
        assert "others made it" not in checks["cluster.drift"]["seen"]


def test_in_a_namespace_that_others_made_what_was_applied_is_as_the_spec_says(
    cluster, namespace, tmp_path
):
    applying = Applying(cluster, namespace, tmp_path)
    spec = applying.spec()
    applying.apply()
    answer = sturdis(
        "verify", "--context", cluster.context, "--spec", str(spec), "--json", timeout=300
    )
    checks = {one["id"]: one for one in json.loads(answer.stdout)["checks"]}
    assert answer.returncode == 0, checks
    assert f"namespace/{namespace}: others made it" in checks["cluster.drift"]["seen"]
