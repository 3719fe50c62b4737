"""A scanner of Kubernetes objects finds nothing in what is rendered without a reason beside it."""

import json
import subprocess

import pytest

from sturdis.core.render import objects, yamltext
from sturdis.core.spec import file as specfile
from tests import matrix

MOST_LEFT_OUT = 5

EVERYTHING = """\
access: {passwordSecret: redis-auth, networkPolicy: true}
monitoring: {queues: [mails]}
environments: {}
"""


@pytest.mark.tier("checkov")
@pytest.mark.parametrize("text", ["", EVERYTHING], ids=["defaults", "everything"])
def test_nothing_fails_and_what_is_left_out_has_its_reason(text, tmp_path):
    file = specfile.read(text, source="sturdis.yaml")
    deployments = {"base": file.base, **file.environments}
    for name, deployment in deployments.items():
        found = objects.deployment(deployment.spec).values()
        (tmp_path / f"{name}.yaml").write_text(yamltext.stream(found))
    scan = [matrix.CHECKOV, "-d", tmp_path, "--framework", "kubernetes", "--skip-download"]
    done = subprocess.run([*scan, "-o", "json"], capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert told["results"]["failed_checks"] == []
    assert told["summary"]["parsing_errors"] == 0
    assert told["summary"]["passed"] > 50 * len(deployments)
    for name in deployments:
        skipped = [
            one["check_result"]["suppress_comment"]
            for one in told["results"]["skipped_checks"]
            if one["file_path"] == f"/{name}.yaml"
        ]
        assert 0 < len(skipped) <= MOST_LEFT_OUT
        assert all(len(reason) > 20 for reason in skipped)
