"""The parts of a machine that some tests need: each is there, or missing for a reason.

A test says `@pytest.mark.tier("node")`. Where the part is missing the test is skipped with the
reason, and the closing summary repeats it; with STURDIS_REQUIRE_TIERS=1 it fails instead.
"""

import os
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sturdis.adapters.drill import rig_parts
from sturdis.adapters.faults import firewall
from tests import matrix
from tests.cluster import clusters
from tests.cluster.machine import binaries

ROOT = Path(__file__).parent.parent
OLDEST_NODE = 20  # ioredis 6 asks for it


def _exporter() -> str:
    release = matrix.EXPORTER_RELEASE
    path = shutil.which(matrix.EXPORTER)
    if path is None:
        return f"no redis_exporter {release} (amd64 Debian: scripts/trixie-packages)"
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    is_right = f"Exporter {release}." in told.stdout + told.stderr
    return "" if is_right else f"{path} is not redis_exporter {release}"


def promtool() -> str | None:
    """Find Prometheus' tool for rules: that of scripts/trixie-packages, else one on PATH."""
    return shutil.which(matrix.TRIXIE / "promtool") or shutil.which("promtool")


def _promtool() -> str:
    return "" if promtool() else "no promtool (amd64 Debian: scripts/trixie-packages)"


def prometheus() -> str | None:
    """Find the Prometheus of scripts/trixie-packages: what is made for it is of its version."""
    return shutil.which(matrix.TRIXIE / "prometheus")


def _monitoring() -> str:
    if not prometheus():
        return "no Prometheus 2.53 (amd64 Debian: scripts/trixie-packages)"
    return _controllers("prometheus-operator")


def _gitops() -> str:
    return _controllers("argocd", "kustomize")


def _controllers(*names: str) -> str:
    """Say why controllers do not run on a cluster: not built, or it is the user's own."""
    if missing := binaries.missing(binaries.GITOPS, *names, "crds"):
        return f"not built: {', '.join(missing)} (make cluster GITOPS=1)"
    found = clusters.find()
    if isinstance(found, str):
        return found
    return "" if found.node_faults else f"no controllers of ours run on {found.context}"


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        return "no node on PATH (Node 20 or newer, with npm)"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    if int(version.stdout.strip().removeprefix("v").split(".")[0] or 0) < OLDEST_NODE:
        return f"node is {version.stdout.strip()}, and ioredis 6 needs {OLDEST_NODE} or newer"
    if not (ROOT / "examples/bullmq/node_modules/bullmq").is_dir():
        return "the packages of examples/bullmq are not installed (cd examples/bullmq && npm ci)"
    return ""


def _curl() -> str:
    return "" if shutil.which("curl") else "no curl on PATH"


def _openssl() -> str:
    return "" if shutil.which("openssl") else "no openssl on PATH, which makes certificates"


def kubectl() -> str | None:
    """Find kubectl: on PATH, or built for the cluster tier."""
    built = sorted((matrix.CACHE / "sturdis/cluster/bin").glob("*/kubectl"))
    return shutil.which("kubectl") or next(map(str, built), None)


def _kube_score() -> str:
    built = not binaries.missing(binaries.SCORES, "kube-score")
    return "" if built else "kube-score is not built (make cluster-build GITOPS=1)"


def _checkov() -> str:
    return "" if shutil.which(matrix.CHECKOV) else "no checkov (scripts/checkov)"


def _kubectl() -> str:
    return "" if kubectl() else "no kubectl on PATH, and none was built by `make cluster`"


def _dash() -> str:
    return "" if shutil.which("dash") else "no dash on PATH (Debian: apt install dash)"


def _busybox() -> str:
    busybox = shutil.which("busybox")
    return "" if busybox else "no busybox on PATH (Debian: apt install busybox-static)"


def _shellcheck() -> str:
    return "" if shutil.which("shellcheck") else "no shellcheck on PATH (apt install shellcheck)"


def browser() -> str | None:
    """Find a Chromium that runs without a screen."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def _browser() -> str:
    return "" if browser() else "no Chromium on PATH (apt install chromium-headless-shell)"


def _compiler() -> str:
    return "" if shutil.which("cc") else "no cc on PATH (Debian: apt install gcc libc6-dev)"


def _strace() -> str:
    return "" if shutil.which("strace") else "no strace on PATH (Debian: apt install strace)"


def _mounts() -> str:
    try:
        unshare = ["unshare", "--map-root-user", "--mount", "true"]
        subprocess.run(unshare, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "this system lets its users make no mounts of their own (unshare --mount)"
    return ""


def _memory_limit() -> str:
    groups, _setting = rig_parts.memory_controller()
    writable = os.access(groups, os.W_OK)
    return "" if writable else f"{groups} cannot be written: root, and control groups of memory"


def _usual_ports() -> str:
    for port in (6379, 9121):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                return f"port {port} is in use on this machine (a running `make up`?)"
    return ""


TIERS: dict[str, tuple[str, Callable[[], str]]] = {
    **{row.tier: (f"{row.name} of the test matrix", row.missing) for row in matrix.ROWS},
    "exporter": (f"redis_exporter {matrix.EXPORTER_RELEASE}", _exporter),
    "promtool": ("Prometheus' promtool, for the alerts", _promtool),
    "node": ("Node with BullMQ and ioredis", _node),
    "curl": ("curl, for the commands as documented", _curl),
    "openssl": ("openssl, for the commands as documented", _openssl),
    "kubectl": ("kubectl, which composes what is rendered", _kubectl),
    "kube-score": ("kube-score, which scans what is rendered", _kube_score),
    "checkov": ("checkov, which scans what is rendered", _checkov),
    "dash": ("dash, the shell of Debian's images", _dash),
    "busybox": ("busybox, the shell and tools of Alpine's images", _busybox),
    "shellcheck": ("shellcheck, for the scripts that run in a pod", _shellcheck),
    "browser": ("Chromium, for the pages of reports", _browser),
    "compiler": ("a C compiler, for a disk that is slow", _compiler),
    "strace": ("strace, for an fsync that fails in a pod", _strace),
    "mounts": ("mounts of our own, for a disk that is small", _mounts),
    "firewall": ("nftables, for packets that are dropped", firewall.missing),
    "memory-limit": ("a limit of the kernel's for memory", _memory_limit),
    "cluster": ("a Kubernetes that answers: docs/cluster-tier.md", clusters.missing),
    "gitops": ("Argo CD, on the cluster of this machine", _gitops),
    "monitoring": ("Prometheus and its operator, beside the cluster of this machine", _monitoring),
    "usual-ports": ("6379 and 9121 free, for the commands as documented", _usual_ports),
}
"""Name to what the part is, and the function that says why it is missing; empty: it is there."""


REQUIRED = os.environ.get("STURDIS_REQUIRE_TIERS") == "1"
"""Whether a missing part fails the tests instead of leaving them out: CI's way."""

LEFT_OUT: Counter[str] = Counter()
"""How many tests and examples each missing part kept from running."""


class TierRequiredError(Exception):
    """A part is missing where all are required."""


def left_out(name: str) -> str:
    """Say why what needs the part `name` is left out, and count it; empty: it runs.

    Raises:
        TierRequiredError: The part is missing, and all are required.
    """
    if reason := missing(name):
        LEFT_OUT[name] += 1
        if REQUIRED:
            raise TierRequiredError(f"the tier {name} is required here: {reason}")
    return reason


@cache
def missing(name: str) -> str:
    """Say why the part `name` is missing; empty when it is there."""
    return TIERS[name][1]()
