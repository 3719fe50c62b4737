"""Prometheus' operator on the running cluster, as a process: it makes configurations, no pods.

Prometheus itself is Debian's. The operator also lists the kubelets for Prometheus, in a Service.
"""

import urllib.request
from urllib.error import URLError

from tests.cluster.machine import binaries, cluster, processes
from tests.cluster.machine.places import AGENTS_KUBECONFIG

MEMBER = "monitoring"
ADDRESS = "127.0.0.1:23814"
KUBELETS = ("kube-system", "kubelet")
"""Namespace and name of the Service that lists the kubelets."""


def start() -> None:
    """Start it anew, and return when it serves.

    Raises:
        MachineError: It did not.
    """
    stop()
    built = binaries.folder(binaries.GITOPS)
    definitions = sorted((built / "crds").glob("monitoring.coreos.com_*.yaml"))
    files = [f"--filename={file}" for file in definitions]
    cluster.kubectl("apply", "--server-side", *files)
    cluster.kubectl("wait", "--for=condition=Established", *files, "--timeout=60s")
    processes.spawn(
        "prometheus-operator", MEMBER, built / "prometheus-operator",
        f"--web.listen-address={ADDRESS}", f"--kubelet-service={'/'.join(KUBELETS)}",
        "--kubelet-sync-period=10s", env={"KUBECONFIG": str(AGENTS_KUBECONFIG)},
    )  # fmt: skip
    processes.wait("Prometheus' operator serves", _serves)


def stop() -> None:
    """End it; what it made stays on the API server."""
    processes.kill(MEMBER)


def _serves() -> bool:
    try:
        with urllib.request.urlopen(f"http://{ADDRESS}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
