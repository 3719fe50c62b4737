"""Argo CD on the running cluster: its repo-server and application-controller as processes.

The configuration is that of Argo CD's own installation. It is asked for every comparison, or makes
one each `RESYNC_SECONDS`; an installation does so every 120 s and at a webhook of the repository.
"""

import contextlib
import fcntl
import json
import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cluster.machine import binaries, cluster, processes
from tests.cluster.machine.places import AGENTS_KUBECONFIG, STATE

MEMBER = "argocd"
NAMESPACE = "argocd"
PORTS = {"redis": 23810, "repo-server": 23811, "repo-metrics": 23812, "metrics": 23813}
"""All of 127.0.0.1, but the controller's metrics."""
RESYNC_SECONDS = 10
LOCK = Path("/run/sturdis-argocd.lock")

PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "default", "namespace": NAMESPACE},
    "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    },
}
"""As Argo CD's API server makes it at its first start, which is not part of this."""


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Have it run for one run of tests; another one waits until this has ended.

    Raises:
        MachineError: It did not start.
    """
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        start()
        try:
            yield
        finally:
            stop()


def start() -> None:
    """Start it anew, and return when it serves.

    Raises:
        MachineError: It did not.
    """
    stop()
    built = binaries.folder(binaries.GITOPS)
    folder = STATE / MEMBER
    (folder / "plugins").mkdir(parents=True)
    _configure(built)
    _start_redis(folder)
    _spawn(
        built, "argocd-repo-server", "--disable-tls", "--address=127.0.0.1",
        f"--port={PORTS['repo-server']}", "--metrics-address=127.0.0.1",
        f"--metrics-port={PORTS['repo-metrics']}",
    )  # fmt: skip
    processes.wait("Argo CD's repo-server listens", lambda: _listens("repo-server"))
    _spawn(
        built, "argocd-application-controller", "--repo-server-plaintext",
        f"--repo-server=127.0.0.1:{PORTS['repo-server']}", f"--metrics-port={PORTS['metrics']}",
        f"--app-resync={RESYNC_SECONDS}", "--app-resync-jitter=0",
    )  # fmt: skip
    processes.wait("Argo CD's controller listens", lambda: _listens("metrics"))


def stop() -> None:
    """End its processes; its objects stay on the API server."""
    processes.kill(MEMBER)
    shutil.rmtree(STATE / MEMBER, ignore_errors=True)


def _configure(built: Path) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    _apply(namespace)
    config = sorted((built / "crds").glob("argocd-*.yaml"))
    cluster.kubectl("apply", "-n", NAMESPACE, *(f"--filename={file}" for file in config))
    # Its API server makes this key at its first start.
    key = {"stringData": {"server.secretkey": secrets.token_hex(16)}}
    head = {"apiVersion": "v1", "kind": "Secret"}
    secret = head | {"metadata": {"name": "argocd-secret", "namespace": NAMESPACE}} | key
    _apply(secret, PROJECT)


def _apply(*objects: dict[str, Any]) -> None:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    cluster.kubectl(
        "apply", "--server-side", "--force-conflicts", "--filename=-", given=listed
    )  # fmt: skip


def _start_redis(folder: Path) -> None:
    words = ("--port", str(PORTS["redis"]), "--bind", "127.0.0.1", "--save", "", "--dir", folder)
    processes.spawn("argocd-redis", MEMBER, "redis-server", *words)
    processes.wait("Argo CD's Redis listens", lambda: _listens("redis"))


def _spawn(built: Path, name: str, *options: str) -> None:
    """Start one of the programs that Argo CD's one binary is."""
    folder = STATE / MEMBER
    environment = {
        "ARGOCD_BINARY_NAME": name,
        # https://kubernetes.default.svc is then what KUBECONFIG names.
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_PLUGINSOCKFILEPATH": str(folder / "plugins"),
        "ARGOCD_SSH_DATA_PATH": str(folder),
        "ARGOCD_TLS_DATA_PATH": str(folder),
        "HOSTNAME": "argocd-application-controller-0",
        "KUBECONFIG": str(AGENTS_KUBECONFIG),
        "PATH": f"{built}:{processes.SYSTEM_PATH}",
        "TMPDIR": str(folder),
    }
    common = (f"--namespace={NAMESPACE}", f"--redis=127.0.0.1:{PORTS['redis']}")
    options = (*common, *options) if "controller" in name else (common[1], *options)
    processes.spawn(name, MEMBER, built / "argocd", *options, env=environment)


def _listens(name: str) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", PORTS[name])) == 0
