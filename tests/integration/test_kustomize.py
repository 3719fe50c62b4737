"""Kustomize makes of the rendered tree what the spec says, object by object."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from sturdis.core.render import objects, tree
from sturdis.core.render.argocd import Source
from sturdis.core.spec import file as specfile
from sturdis.core.spec.file import SpecFile
from tests import tiers
from tests.core import valid_specs

pytestmark = pytest.mark.tier("kubectl")

ENVIRONMENTS_DIFFER = """\
access: {networkPolicy: true}
gitops: {environment: big}
storage: {size: 30Gi}
environments:
  open: {access: {networkPolicy: false}, monitoring: {rules: false}}
  shut: {access: {passwordSecret: redis-auth}, monitoring: {queues: ["a, b", "é"]}}
  big: {memory: {limit: 8Gi}, engine: {kind: valkey}, persistence: {fsync: always}}
"""


def composed(folder: Path) -> list[Any]:
    """Give the objects that kustomize makes of a folder."""
    made = subprocess.run(
        [tiers.kubectl() or "kubectl", "kustomize", folder], capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr.decode()
    return list(yaml.safe_load_all(made.stdout))


def by_name(manifests) -> dict[tuple[str, str], Any]:
    return {(one["kind"], one["metadata"]["name"]): one for one in manifests}


def check(file: SpecFile, root: Path) -> None:
    for path, text in tree.tree(file, Source("ssh://git.local/app.git")).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    below = root / "apps/infrastructure" / file.base.spec.name
    folders = {"base": file.base} | {
        f"overlays/{name}": deployment for name, deployment in file.environments.items()
    }
    for folder, deployment in folders.items():
        ours = objects.deployment(deployment.spec).values()
        assert by_name(composed(below / folder)) == by_name(ours), folder


@pytest.mark.parametrize("text", ["", ENVIRONMENTS_DIFFER], ids=["defaults", "differing"])
def test_kustomize_composes_what_we_do(text, tmp_path):
    check(specfile.read(text, source="sturdis.yaml"), tmp_path)


@given(file=valid_specs.files())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_kustomize_composes_any_valid_spec_as_we_do(file, tmp_path_factory):
    check(file, tmp_path_factory.mktemp("tree"))
