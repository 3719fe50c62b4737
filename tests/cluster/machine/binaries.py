"""Building Kubernetes, Argo CD and Prometheus' operator from their Go modules, into the cache."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Kit:
    """What is built together: its folder in the cache, what it locks, and what is in it."""

    cached: str
    modules: tuple[str, ...]
    packages: tuple[tuple[str, str, str], ...]
    crds: Mapping[str, tuple[str, ...]]

    @property
    def key(self) -> str:
        """Key of what the binaries are built from."""
        folders = [MODULES / module for module in self.modules]
        locks = sorted(folder / name for folder in folders for name in ("go.mod", "go.sum"))
        told = (FLAGS.encode(), repr(self.packages).encode())
        return key_of([*told, *(lock.read_bytes() for lock in locks)])


CLUSTER = Kit("bin", ("coredns", "crds", "etcd", "kubernetes"), PACKAGES, CRDS)
GITOPS = Kit(
    "gitops",
    ("argocd", "crds", "kustomize", "prometheus-operator"),
    (
        (
            "prometheus-operator",
            "prometheus-operator",
            "github.com/prometheus-operator/prometheus-operator/cmd/operator",
        ),
        ("kustomize", "kustomize", "sigs.k8s.io/kustomize/kustomize/v5"),
        ("argocd", "argocd", "github.com/argoproj/argo-cd/v3/cmd"),
    ),
    {
        "github.com/prometheus-operator/prometheus-operator": (
            "example/prometheus-operator-crd/monitoring.coreos.com_probes.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_prometheuses.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_scrapeconfigs.yaml",
        ),
        "github.com/argoproj/argo-cd/v3": (
            "manifests/base/config/argocd-cm.yaml",
            "manifests/base/config/argocd-gpg-keys-cm.yaml",
            "manifests/base/config/argocd-rbac-cm.yaml",
            "manifests/base/config/argocd-secret.yaml",
        ),
    },
)
"""Argo CD and Prometheus' operator: about 8 minutes more, so only who asks for them builds them."""

SCORES = Kit(
    "scores",
    ("kube-score",),
    (("kube-score", "kube-score", "github.com/zegl/kube-score/cmd/kube-score"),),
    {},
)
"""A scanner of Kubernetes objects; it needs no cluster."""


def folder(kit: Kit = CLUSTER) -> Path:
    """Give the folder of the binaries, whether they are built or not."""
    return CACHE / kit.cached / kit.key


def build(say: Callable[[str], None], kit: Kit = CLUSTER) -> Path:
    """Build what is not built yet, and give the folder. What an interrupted build made is kept.

    Raises:
        MachineError: A module could not be had or built.
    """
    target = folder(kit)
    target.mkdir(parents=True, exist_ok=True)
    for partial in target.glob("*.partial"):  # of a build that was interrupted
        shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
    for name, module, package in kit.packages:
        if not (target / name).exists():
            began = time.monotonic()
            _build(package, MODULES / module, target / name)
            say(f"built {name} in {time.monotonic() - began:.0f} s")
    crds(target, kit)
    _keep_only(target)
    return target


def missing(kit: Kit, *names: str) -> list[str]:
    """Name what is not built, of these parts of a kit."""
    return [name for name in names if not (folder(kit) / name).exists()]


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


def crds(target: Path, kit: Kit = CLUSTER) -> Path:
    """Give the folder of the manifests in `target`; they come out of their modules."""
    found = target / "crds"
    if not found.exists():
        partial = target / "crds.partial"
        partial.mkdir()
        for module, files in kit.crds.items():
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
