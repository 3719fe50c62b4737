"""Scanners of Kubernetes objects find nothing in what is rendered without a reason beside it."""

import json
import re
import subprocess

import pytest

from sturdis.core.render import objects, yamltext
from sturdis.core.spec import file as specfile
from tests import matrix
from tests.cluster.machine import binaries

MOST_LEFT_OUT = 5

EVERYTHING = """\
access: {passwordSecret: redis-auth, networkPolicy: true}
monitoring: {queues: [mails]}
environments: {}
"""


@pytest.fixture(params=["", EVERYTHING], ids=["defaults", "everything"])
def overlays(request, tmp_path):
    """Give the files of the objects of base and overlays, by name."""
    file = specfile.read(request.param, source="sturdis.yaml")
    deployments = {"base": file.base, **file.environments}
    for name, deployment in deployments.items():
        found = objects.deployment(deployment.spec).values()
        (tmp_path / f"{name}.yaml").write_text(yamltext.stream(found))
    return {name: tmp_path / f"{name}.yaml" for name in deployments}


@pytest.mark.tier("kube-score")
def test_kube_score_finds_nothing_critical(overlays):
    kube_score = binaries.folder(binaries.SCORES) / "kube-score"
    for path in overlays.values():
        scored = subprocess.run(
            [kube_score, "score", path, "--output-format", "ci"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "[CRITICAL]" not in scored.stdout, scored.stdout
        assert "[OK]" in scored.stdout
        ignored = re.findall(r"kube-score/ignore: (.*)", path.read_text())[0].split(",")
        assert len(ignored) <= MOST_LEFT_OUT


@pytest.mark.tier("checkov")
def test_nothing_fails_and_what_is_left_out_has_its_reason(overlays):
    folder = overlays["base"].parent
    scan = [matrix.CHECKOV, "-d", folder, "--framework", "kubernetes", "--skip-download"]
    done = subprocess.run([*scan, "-o", "json"], capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert told["results"]["failed_checks"] == []
    assert told["summary"]["parsing_errors"] == 0
    assert told["summary"]["passed"] > 50 * len(overlays)
    for name in overlays:
        skipped = [
            one["check_result"]["suppress_comment"]
            for one in told["results"]["skipped_checks"]
            if one["file_path"] == f"/{name}.yaml"
        ]
        assert 0 < len(skipped) <= MOST_LEFT_OUT
        assert all(len(reason) > 20 for reason in skipped)
