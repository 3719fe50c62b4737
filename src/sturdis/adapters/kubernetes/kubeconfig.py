"""Which cluster is meant, and as which user: the kubeconfig, read as kubectl reads it.

Several files are merged, the first that names a thing wins; without one, a pod's own account is
taken. Unlike the client library this reads all files of KUBECONFIG, and login helpers that speak
client.authentication.k8s.io/v1.
"""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.config.models import User
from lightkube.core.exceptions import ConfigError

from sturdis.core.errors import ClusterError

VARIABLE = "KUBECONFIG"
USUAL = "~/.kube/config"

FILES = {
    "cluster": ("certificate-authority",),
    "user": ("client-certificate", "client-key", "tokenFile"),
}
"""Keys whose values are paths, relative to the file that they are in."""


def choose(context: str | None) -> SingleConfig:
    """Give cluster and user of `context`; None: of the current one.

    Raises:
        ClusterError: `cluster.none`, `cluster.unknown_context` or `cluster.kubeconfig`.
    """
    files = _files()
    if not files:
        if context is None and (own := _of_this_pod()):
            return own
        raise _none(f"{_named()}: no such file")
    merged = _merged(files)
    name = merged["current-context"] if context is None else context
    if not name and context is None:
        raise _none(f"{_named()} names no current context")
    known = [str(one["name"]) for one in merged["contexts"]]
    if name not in known:
        raise _unknown(name, known)
    try:
        chosen = KubeConfig.from_dict(merged).get(name)
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        raise unusable(f"context {name}: {error}") from error
    chosen = cast("SingleConfig", chosen)  # None only where no context was named
    return chosen if chosen.user else chosen._replace(user=User())


def unusable(why: str) -> ClusterError:
    """Say that what the kubeconfig holds cannot be used."""
    return ClusterError(
        "cluster.kubeconfig",
        "the cluster's configuration cannot be used",
        why=why,
        do="kubectl config view    shows what is configured; --context CTX takes another",
    )


def _files() -> list[Path]:
    named = os.environ.get(VARIABLE, "")
    paths = [Path(one) for one in named.split(os.pathsep) if one] or [Path(USUAL).expanduser()]
    return [path for path in paths if _is_there(path)]


def _is_there(path: Path) -> bool:
    """Tell whether something is there, be it a pipe; what it is shows when it is read."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unusable(f"{path}: {error.strerror}") from error
    return True


def _named() -> str:
    return os.environ.get(VARIABLE) or USUAL


def _of_this_pod() -> SingleConfig | None:
    try:
        return cast("SingleConfig", KubeConfig.from_service_account().get())
    except (ConfigError, KeyError):
        return None


def _merged(paths: list[Path]) -> dict[str, Any]:
    merged: dict[str, Any] = {"current-context": ""}
    tables: dict[str, dict[str, Any]] = {"clusters": {}, "contexts": {}, "users": {}}
    for path in paths:
        content = _read(path)
        merged["current-context"] = merged["current-context"] or content.get("current-context")
        for key, table in tables.items():
            for entry in content.get(key) or ():
                table.setdefault(entry["name"], _with_whole_paths(entry, path.parent))
    return merged | {key: list(table.values()) for key, table in tables.items()}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise unusable(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:  # its words could show a credential
        raise unusable(f"{path} is not YAML") from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(_is_named(one) for one in _entries(content)):
        raise unusable(f"{path} is no kubeconfig")
    if not isinstance(content.get("current-context") or "", str):
        raise unusable(f"{path}: its current-context is no text")
    return content


def _entries(content: dict[str, Any]) -> Iterator[Any]:
    for key in ("clusters", "contexts", "users"):
        table = content.get(key) or ()
        yield from table if isinstance(table, list | tuple) else (None,)


def _is_named(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str)


def _with_whole_paths(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Make paths absolute; call v1 of a login helper v1beta1, which has the same answer."""
    whole = dict(entry)
    for part, keys in FILES.items():
        if isinstance(held := entry.get(part), dict):
            named = {key: held[key] for key in keys if isinstance(held.get(key), str)}
            found = {key: str(folder / path) for key, path in named.items() if path}
            whole[part] = held | found
    user = whole.get("user")
    helper = user.get("exec") if isinstance(user, dict) else None
    if isinstance(helper, dict):
        version = str(helper.get("apiVersion", ""))
        version += "beta1" if version.endswith("/v1") else ""
        whole["user"] = whole["user"] | {"exec": helper | {"apiVersion": version}}
    return whole


def _none(why: str) -> ClusterError:
    return ClusterError(
        "cluster.none",
        "no cluster is named",
        why=why,
        do=f"set {VARIABLE} to your cluster's file, or name a context with --context CTX",
    )


def _unknown(name: str, known: list[str]) -> ClusterError:
    close = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    return ClusterError(
        "cluster.unknown_context",
        f"there is no context {name or repr(name)}",
        why=f"{meant}known are: {', '.join(known) or 'none'}",
        do=f"--context {close[0]}" if close else "kubectl config get-contexts",
    )
