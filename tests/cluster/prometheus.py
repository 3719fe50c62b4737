"""Prometheus on what its operator makes of a namespace: Debian's server, beside the cluster."""

import base64
import contextlib
import gzip
import json
import re
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import tiers
from tests.cluster.clusters import Cluster
from tests.cluster.machine import monitoring, processes
from tests.cluster.machine.credentials import CA
from tests.cluster.machine.places import SERVER

NAME = "main"
VERSION = "v2.53.3"
"""Of the server that runs: the operator writes a configuration of that version."""
RULES = "/etc/prometheus/rules/"
"""Where a pod of the operator's has the rule files."""
VARIABLES = {"POD_NAME": f"prometheus-{NAME}-0", "SHARD": "0"}
"""What a pod of the operator's writes into the configuration at its start."""


@dataclass(frozen=True)
class Prometheus:
    """A server that runs."""

    url: str
    folder: Path

    def ask(self, path: str, **parameters: str) -> Any:
        """Ask its API, and give the data of the answer."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Give what an expression is now."""
        found: list[dict[str, Any]] = self.ask("query", query=expression)["result"]
        return found

    def alerts(self) -> dict[str, str]:
        """Give the state of each alert that is pending or fires."""
        return {one["labels"]["alertname"]: one["state"] for one in self.ask("alerts")["alerts"]}


@contextlib.contextmanager
def running(cluster: Cluster, namespace: str, folder: Path, waits: str) -> Iterator[Prometheus]:
    """Have a Prometheus that watches one namespace, and the kubelets.

    Args:
        cluster: Where.
        namespace: Of what it watches, and of the resource that asks the operator for it.
        folder: Of the configuration and the data.
        waits: How long a condition must hold until its alert fires, in the copy of our rules that
            this server reads. Ours are minutes; that they are is told by promtool's tests.
    """
    with _reader(cluster, namespace, folder / "token") as token:
        cluster.apply(_resource(namespace, token), _kubelets(), namespace=namespace)
        cluster.kubectl("wait", "-n", namespace, f"secret/prometheus-{NAME}", "--for=create")
        processes.wait("the operator has both monitors", lambda: _has_both(cluster, namespace))
        _write_configuration(cluster, namespace, folder, waits)
        with _served(folder) as server:
            yield server


def configuration(cluster: Cluster, namespace: str) -> str:
    """Give the configuration that the operator made."""
    secret = cluster.get("secret", "-n", namespace, f"prometheus-{NAME}")
    return gzip.decompress(base64.b64decode(secret["data"]["prometheus.yaml.gz"])).decode()


def rules(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Give the rule files that the operator made: name to text."""
    made: dict[str, str] = cluster.get(
        "configmap", "-n", namespace, f"prometheus-{NAME}-rulefiles-0"
    )["data"]
    return made


@contextlib.contextmanager
def _reader(cluster: Cluster, namespace: str, token: Path) -> Iterator[Path]:
    """Have an account that may look where Prometheus finds its targets, and its token in a file."""
    kubelets = monitoring.KUBELETS[0]
    cluster.kubectl("create", "serviceaccount", "-n", namespace, "prometheus")
    for where in (namespace, kubelets):
        cluster.kubectl(
            "create", "rolebinding", "-n", where, f"{namespace}-prometheus", "--clusterrole=view",
            f"--serviceaccount={namespace}:prometheus",
        )  # fmt: skip
    token.touch(mode=0o600)
    token.write_text(cluster.kubectl("create", "token", "-n", namespace, "prometheus"))
    try:
        yield token
    finally:
        cluster.kubectl("delete", "rolebinding", "-n", kubelets, f"{namespace}-prometheus")


def _resource(namespace: str, token: Path) -> dict[str, Any]:
    here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": NAME},
        "spec": {
            "replicas": 0,
            "version": VERSION,
            "evaluationInterval": "1s",
            "serviceMonitorSelector": {},
            "serviceMonitorNamespaceSelector": here,
            "ruleSelector": {},
            "ruleNamespaceSelector": here,
            # It runs outside of the cluster.
            "apiserverConfig": {
                "host": SERVER,
                "authorization": {"credentialsFile": str(token)},
                "tlsConfig": {"caFile": str(CA)},
            },
        },
    }


def _kubelets() -> dict[str, Any]:
    """Give the monitor of the kubelets, in the form of Prometheus' own stack."""
    where, name = monitoring.KUBELETS
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "kubelet"},
        "spec": {
            "namespaceSelector": {"matchNames": [where]},
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "endpoints": [
                {
                    "port": "https-metrics",
                    "scheme": "https",
                    "honorLabels": True,
                    "tlsConfig": {"insecureSkipVerify": True},
                }
            ],
        },
    }


def _has_both(cluster: Cluster, namespace: str) -> bool:
    made = configuration(cluster, namespace)
    return all(f"serviceMonitor/{namespace}/{name}/0" in made for name in ("redis", "kubelet"))


def _write_configuration(cluster: Cluster, namespace: str, folder: Path, waits: str) -> None:
    """Write what the operator's pod would have mounted, with paths of this machine in it."""
    made = configuration(cluster, namespace)
    for name, value in VARIABLES.items():
        made = made.replace(f"$({name})", value)
    (folder / "prometheus.yaml").write_text(made.replace(RULES, f"{folder}/"))
    below = folder / f"prometheus-{NAME}-rulefiles-0"
    below.mkdir()
    for name, text in rules(cluster, namespace).items():
        (below / name).write_text(re.sub(r"(?m)^(\s*)for: .*$", rf"\g<1>for: {waits}", text))


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[Prometheus]:
    program = tiers.prometheus()
    assert program is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        program, f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={address}", "--log.level=warn",
    ]  # fmt: skip
    log = folder / "log"
    with log.open("w") as told, subprocess.Popen(command, stdout=told, stderr=told) as process:
        try:
            server = Prometheus(f"http://{address}", folder)
            processes.wait("Prometheus serves", lambda: _is_ready(server, process, log))
            yield server
        finally:
            process.terminate()


def _is_ready(server: Prometheus, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        with urllib.request.urlopen(f"{server.url}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
