"""etcd, API server, controllers and scheduler, as processes of this machine."""

import subprocess
from pathlib import Path

from tests.cluster.machine import credentials, processes
from tests.cluster.machine.places import (
    AGENTS_KUBECONFIG,
    BRIDGE,
    GATEWAY,
    SERVICES,
    STATE,
)

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
FORWARDED = STATE / "ip_forward"
"""What the machine's setting was before."""
ETCD = "http://127.0.0.1:23790"
ETCD_PEER = "http://127.0.0.1:23800"
GRACE_SECONDS = 16
"""A node that is silent for so long is NotReady; Kubernetes' own 50 s would make tests wait."""


def start(binaries: Path) -> None:
    """Start all of it and return when the API server says that it serves."""
    _make_bridge()
    _start_etcd(binaries)
    _start_api_server(binaries)
    processes.wait("the API server serves", lambda: serves(binaries))
    key = credentials.FOLDER / "sa.key"
    _spawn(
        binaries, "kube-controller-manager", f"--kubeconfig={AGENTS_KUBECONFIG}",
        f"--service-account-private-key-file={key}", f"--root-ca-file={credentials.CA}",
        "--use-service-account-credentials=true", "--leader-elect=false", "--secure-port=0",
        f"--node-monitor-grace-period={GRACE_SECONDS}s",
    )  # fmt: skip
    _spawn(
        binaries, "kube-scheduler", f"--kubeconfig={AGENTS_KUBECONFIG}",
        "--leader-elect=false", "--secure-port=0",
    )  # fmt: skip


def serves(binaries: Path) -> bool:
    """Whether the API server is ready."""
    asked = subprocess.run(
        [binaries / "kubectl", f"--kubeconfig={AGENTS_KUBECONFIG}", "get", "--raw", "/readyz",
         "--request-timeout=5s"],
        capture_output=True, check=False,
    )  # fmt: skip
    return asked.stdout.strip() == b"ok"


def remove_bridge() -> None:
    """Take the bridge away, with the routes over it, and give forwarding its setting back."""
    subprocess.run(["ip", "link", "del", BRIDGE], capture_output=True, check=False)
    if FORWARDED.exists():
        FORWARDING.write_text(FORWARDED.read_text())


def _make_bridge() -> None:
    FORWARDED.write_text(FORWARDING.read_text())
    FORWARDING.write_text("1")
    processes.run("ip", "link", "add", BRIDGE, "type", "bridge")
    processes.run("ip", "address", "add", f"{GATEWAY}/24", "dev", BRIDGE)
    processes.run("ip", "link", "set", BRIDGE, "up")


def _start_etcd(binaries: Path) -> None:
    _spawn(
        binaries, "etcd", "--data-dir", STATE / "etcd", "--unsafe-no-fsync", "--log-level", "error",
        "--listen-client-urls", ETCD, "--advertise-client-urls", ETCD,
        "--listen-peer-urls", ETCD_PEER, "--initial-advertise-peer-urls", ETCD_PEER,
        "--initial-cluster", f"default={ETCD_PEER}",
    )  # fmt: skip


def _start_api_server(binaries: Path) -> None:
    folder = credentials.FOLDER
    _spawn(
        binaries, "kube-apiserver", f"--etcd-servers={ETCD}",
        f"--bind-address={GATEWAY}", f"--advertise-address={GATEWAY}", "--secure-port=6443",
        f"--tls-cert-file={folder}/api.crt", f"--tls-private-key-file={folder}/api.key",
        f"--token-auth-file={credentials.TOKENS}", "--authorization-mode=RBAC",
        f"--service-account-key-file={folder}/sa.pub",
        f"--service-account-signing-key-file={folder}/sa.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-cluster-ip-range={SERVICES}",
        "--kubelet-preferred-address-types=InternalIP",
    )  # fmt: skip


def _spawn(binaries: Path, name: str, *options: str | Path) -> None:
    processes.spawn(name, processes.CONTROL, binaries / name, *options)
