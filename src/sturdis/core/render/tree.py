"""A sturdis.yaml to the tree that a GitOps repository holds: Kustomize base, overlays, Application.

Each overlay is what its environment differs by from the base, found by comparing the two
deployments whole: `kubectl kustomize` of it gives the environment's objects and nothing else.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from sturdis.core import cluster
from sturdis.core.cluster import Manifest
from sturdis.core.render import argocd, objects, patches, storage_class, yamltext
from sturdis.core.render.argocd import Source
from sturdis.core.spec.file import SpecFile

APPS = "apps/infrastructure"
"""Folder of the tree."""

SHARED = f"{APPS}/storage/"
"""What belongs to the cluster, and not to one deployment."""

NOTE = "Written by sturdis render from the spec; edit the spec, not this file."

KUSTOMIZATION = "kustomization.yaml"

SUMS = "rendered.sha256"
"""Names every rendered file with its SHA-256, as sha256sum writes it: who edited one is told."""

Tree = Mapping[str, str]
"""Path in the tree to a file's text."""


def tree(file: SpecFile, source: Source) -> Tree:
    """Give the whole tree of `file`, in the order of its paths."""
    name = file.base.spec.name
    deployments = (file.base, *file.environments.values())
    base = objects.deployment(file.base.spec)
    found = {f"base/{path}": text for path, text in _base(base)}
    for environment, deployment in file.environments.items():
        wanted = objects.deployment(deployment.spec)
        for path, text in _overlay(base, wanted):
            found[f"overlays/{environment}/{path}"] = text
    below = {f"{APPS}/{name}/{path}": text for path, text in found.items()}
    below[f"{APPS}/{name}.yaml"] = _write(_application(file, source))
    if any(one.spec.storage.storage_class == storage_class.NAME for one in deployments):
        below[f"{SHARED}{storage_class.NAME}.yaml"] = _write(storage_class.storage_class())
    return dict(sorted(below.items()))


def sums_path(file: SpecFile) -> str:
    """Give the path, in the tree, of the file of sums."""
    return f"{APPS}/{file.base.spec.name}/{SUMS}"


def sums(rendered: Tree) -> str:
    """Give the text of the file of sums; its paths are those of the tree.

    What other deployments share is left out: none of them removes it.
    """
    own = {path: text for path, text in rendered.items() if not path.startswith(SHARED)}
    return "".join(f"{digest(text)}  {path}\n" for path, text in own.items())


def digest(text: str) -> str:
    """Give the SHA-256 of a file's text, in which bytes that are no UTF-8 are surrogates."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def read_sums(text: str) -> dict[str, str]:
    """Give what a file of sums says: path to SHA-256; lines of another form are passed over."""
    lines = (line.partition("  ") for line in text.splitlines())
    return {path: digest for digest, _two_blanks, path in lines if path and _stays_below(path)}


def _stays_below(path: str) -> bool:
    """Tell whether `path` leads to a file of the tree: not up, and not to its root."""
    return path.startswith(f"{APPS}/") and ".." not in path.split("/") and path.isprintable()


def deployed_path(file: SpecFile) -> str:
    """Give the folder, in the tree, that the Application deploys: its overlay, or the base."""
    spec = file.base.spec
    environment = spec.gitops.environment
    known = environment in file.environments
    return f"{APPS}/{spec.name}/" + (f"overlays/{environment}" if known else "base")


def _application(file: SpecFile, source: Source) -> Manifest:
    return argocd.application(file.base.spec, source, deployed_path(file))


def _base(base: Mapping[str, Manifest]) -> Iterator[tuple[str, str]]:
    yield KUSTOMIZATION, _kustomization(resources=list(base))
    for path, manifest in base.items():
        yield path, _write(manifest)


def _overlay(
    base: Mapping[str, Manifest], wanted: Mapping[str, Manifest]
) -> Iterator[tuple[str, str]]:
    """Give the files of an overlay: added objects, patches of others, and what leads to them."""
    resources, listed = ["../../base"], []
    for path, manifest in wanted.items():
        if path not in base:
            resources.append(path)
            yield path, _write(manifest)
        elif operations := patches.patch(base[path], manifest):
            patch_path = path.replace(".yaml", ".patch.yaml")
            listed.append({"path": patch_path, "target": _target(manifest)})
            yield patch_path, _write(operations)
    for path, manifest in base.items():
        if path not in wanted:
            listed.append({"patch": yamltext.document(_deletion(manifest))})
    yield KUSTOMIZATION, _kustomization(resources=resources, patches=listed)


def _kustomization(**lists: list[Any]) -> str:
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    return _write(head | {key: value for key, value in lists.items() if value})


def _target(manifest: Manifest) -> dict[str, str]:
    kind = cluster.kind_of(manifest)
    named = {"version": kind.version, "kind": kind.kind, "name": manifest["metadata"]["name"]}
    return ({"group": kind.group} if kind.group else {}) | named


def _deletion(manifest: Manifest) -> Manifest:
    meta = {key: manifest["metadata"][key] for key in ("name", "namespace")}
    given = {key: manifest[key] for key in ("apiVersion", "kind")}
    return given | {"metadata": meta, "$patch": "delete"}


def _write(value: Mapping[str, Any] | list[Any]) -> str:
    return yamltext.document(value, NOTE)
