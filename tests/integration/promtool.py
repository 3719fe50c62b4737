"""Rules in Prometheus' own hands: read by promtool, and run on series of values."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sturdis.core.render import metadata
from sturdis.core.spec import Spec
from tests import tiers

FIRING = 'count by (alertname, namespace, job, queue) (ALERTS{alertstate="firing"})'


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run promtool to its end."""
    path = tiers.promtool()
    assert path is not None
    return subprocess.run(
        [path, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def check(rules: Sequence[Mapping[str, Any]], folder: Path) -> str:
    """Have rules read; give what is wrong with them, "" when nothing is."""
    write(folder / "rules.json", {"groups": [{"name": "test", "rules": rules}]})
    checked = run("check", "rules", "--lint=all", "--lint-fatal", "rules.json", folder=folder)
    return "" if checked.returncode == 0 else checked.stdout + checked.stderr


def assert_fires(
    groups: Sequence[Mapping[str, Any]],
    series: Mapping[str, str],
    minute: int,
    alerts: Mapping[str, Mapping[str, str]],
    folder: Path,
) -> None:
    """Run rules on series; those alerts fire at a minute, each with these labels, and no other."""
    write(folder / "rules.json", {"groups": groups})
    expected = [
        {"labels": labelled("", {"alertname": name, **labels}), "value": 1}
        for name, labels in alerts.items()
    ]
    look = {"expr": FIRING, "eval_time": f"{minute}m", "exp_samples": expected}
    one = {
        "interval": "30s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [look],
    }
    test = {"rule_files": ["rules.json"], "evaluation_interval": "30s", "tests": [one]}
    write(folder / "test.json", test)
    ran = run("test", "rules", "test.json", folder=folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def of_deployment(spec: Spec, series: Mapping[str, str]) -> dict[str, str]:
    """Give series the labels that the deployment's target, or the kubelet's, has."""
    target = {"namespace": spec.namespace, "job": spec.name, "instance": metadata.pod_name(spec)}
    claim = {
        "namespace": spec.namespace,
        "persistentvolumeclaim": metadata.claim_name(spec),
        "job": "kubelet",
    }
    return {
        labelled(name, claim if name.startswith("kubelet_") else target): values
        for name, values in series.items()
    }


def labelled(series: str, labels: Mapping[str, str]) -> str:
    """Add labels to a series' own; of one that it has already, its own stays."""
    name, _brace, own = series.partition("{")
    own = own.removesuffix("}")
    kept = set(re.findall(r'(\w+)="', own))
    more = [f"{key}={json.dumps(value)}" for key, value in labels.items() if key not in kept]
    return f"{name}{{{','.join([*([own] if own else []), *more])}}}"


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON, which is YAML."""
    path.write_text(json.dumps(content))
