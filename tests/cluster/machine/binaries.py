"""Building Kubernetes, etcd and CoreDNS from their Go modules, into the cache."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.cluster.machine import processes
from tests.cluster.machine.places import CACHE, MODULES, MachineError, key_of

FLAGS = "-buildvcs=false -trimpath -mod=readonly"
PACKAGES = (
    *(
        (name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}")
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kube-proxy",
            "kubectl",
        )
    ),
    ("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    ("coredns", "coredns", "github.com/coredns/coredns"),
)
"""Name of the binary, the folder of the module that locks its versions, and the package."""

CRDS = {
    "github.com/prometheus-operator/prometheus-operator": (
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
    "github.com/argoproj/argo-cd/v3": (
        "manifests/crds/application-crd.yaml",
        "manifests/crds/appproject-crd.yaml",
    ),
}
"""Resource definitions that the deployment's objects need: module to files in it."""


def key() -> str:
    """Give the key of what the binaries are built from."""
    locks = sorted([*MODULES.glob("*/go.mod"), *MODULES.glob("*/go.sum")])
    return key_of([FLAGS.encode(), repr(PACKAGES).encode(), *(lock.read_bytes() for lock in locks)])


def folder() -> Path:
    """Give the folder of the binaries, whether they are built or not."""
    return CACHE / "bin" / key()


def build(say: Callable[[str], None]) -> Path:
    """Build what is not built yet, and give the folder. What an interrupted build made is kept.

    Raises:
        MachineError: A module could not be had or built.
    """
    target = folder()
    target.mkdir(parents=True, exist_ok=True)
    for partial in target.glob("*.partial"):  # of a build that was interrupted
        shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
    for name, module, package in PACKAGES:
        if not (target / name).exists():
            began = time.monotonic()
            _build(package, MODULES / module, target / name)
            say(f"built {name} in {time.monotonic() - began:.0f} s")
    crds(target)
    _keep_only(target)
    return target


def _build(package: str, module: Path, target: Path) -> None:
    partial = target.with_suffix(".partial")
    flags = f"-s -w {_stamp(module)}"
    environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": FLAGS}
    done = subprocess.run(
        ["go", "build", "-ldflags", flags, "-o", partial, package],
        cwd=module, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise MachineError(
            f"{target.name} was not built",
            why=done.stderr.strip()[-800:],
            do="check `go version` (1.26 or newer), GOPROXY and the disk, then make cluster",
        )
    partial.rename(target)


def _stamp(module: Path) -> str:
    """Give the linker's flags that tell Kubernetes its own version."""
    required = re.search(r"k8s\.io/kubernetes (v1\.(\d+)\S+)", (module / "go.mod").read_text())
    if required is None:
        return ""
    at = "-X k8s.io/component-base/version"
    version, minor = required.groups()
    return f"{at}.gitVersion={version} {at}.gitMajor=1 {at}.gitMinor={minor}"


def crds(target: Path) -> Path:
    """Give the folder of the resource definitions in `target`; they come out of their modules."""
    found = target / "crds"
    if not found.exists():
        partial = target / "crds.partial"
        partial.mkdir()
        for module, files in CRDS.items():
            source = _downloaded(module)
            for file in files:
                shutil.copyfile(source / file, partial / Path(file).name)
        partial.rename(found)
    return found


def _downloaded(module: str) -> Path:
    """Have `module` in Go's own cache, held to the lock's hash, and give its folder there."""
    lock = MODULES / "crds"
    wanted = re.search(rf"{re.escape(module)} (v\S+)", (lock / "go.mod").read_text())
    assert wanted is not None, f"{lock} does not lock {module}"
    told = processes.run("go", "mod", "download", "-json", f"{module}@{wanted[1]}", cwd=lock)
    found = re.search(r'"Dir": "([^"]+)"', told)
    assert found is not None, f"go told no folder for {module}"
    return Path(found[1])


def _keep_only(kept: Path) -> None:
    for other in _others(kept):
        shutil.rmtree(other)


def _others(kept: Path) -> Iterator[Path]:
    return (one for one in kept.parent.iterdir() if one != kept)
