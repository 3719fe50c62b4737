"""What only the server's container shows: room on its volume, and which passwords it started with.

Passwords are compared as digests with a salt of one run: none is an argument, an output or a log.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping

from sturdis.adapters.kubernetes import exec as executing
from sturdis.adapters.kubernetes import unseen
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.pod_look import whole_numbers
from sturdis.core.cluster import SECRET, Manifest, Ref
from sturdis.core.doctor.facts import Disk, Inside
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.render import metadata
from sturdis.core.render.acl import APPLICATION, EXPORTER
from sturdis.core.render.acl import STURDIS as OURS
from sturdis.core.spec import Spec

SECONDS = 20.0
"""Longest run of the script."""

KEYS = {
    APPLICATION.variable: metadata.PASSWORD_KEY,
    EXPORTER.variable: metadata.EXPORTER_KEY,
    OURS.variable: metadata.STURDIS_KEY,
}
"""Variable of the container to the key of the Secret that it was filled from."""

SCRIPT = r"""
echo "disk $(stat -f -c '%a %b %f %S' "$1" 2>&1)"
salt=$2
shift 2
for name; do
  eval "value=\${$name:-}"
  digest=$(printf '%s%s' "$salt" "$value" | sha256sum)
  echo "$name ${digest%% *}"
done
"""
"""$1: a folder; $2: a salt; then names of variables. printf is the shell's own."""


def look(cluster: Cluster, spec: Spec, pod: Manifest, ref: Ref, container: str) -> Inside | Unseen:
    """Look into a container that runs."""
    names = _variables(pod, container)
    salt = secrets.token_hex(16)
    command = ["sh", "-c", SCRIPT, "sh", metadata.DATA_FOLDER, salt, *names]
    try:
        ran = executing.run(cluster, ref, container, command, seconds=SECONDS)
    except ClusterError as error:
        return unseen.because(error)
    lines = ran.out.decode(errors="replace").splitlines()
    told = dict(line.split(" ", 1) for line in lines if " " in line)
    return Inside(_disk(told.get("disk", "")), _stale(cluster, spec, told, salt, names))


def _variables(pod: Manifest, container: str) -> list[str]:
    """Name the variables that hold passwords in this pod, whatever the spec says by now."""
    found = (one for one in pod["spec"]["containers"] if one["name"] == container)
    names = {one["name"] for each in found for one in each.get("env") or ()}
    return [name for name in KEYS if name in names]


def _disk(shown: str) -> Disk | Unseen:
    match whole_numbers(shown):
        case free, blocks, unused, size:
            return Disk(free * size, (blocks - unused + free) * size)  # root's are none, as for df
    return Unseen(f"stat -f in the container: {shown.strip() or 'no output'}")


def _stale(
    cluster: Cluster, spec: Spec, told: Mapping[str, str], salt: str, names: list[str]
) -> frozenset[str] | Unseen:
    secret = spec.access.password_secret
    if secret is None or not names:
        return frozenset()
    try:
        found = cluster.get(Ref(SECRET, secret, spec.namespace))
    except ClusterError as error:
        return unseen.because(error)
    data = (found or {}).get("data") or {}
    return frozenset(
        KEYS[name]
        for name in names
        if KEYS[name] in data and told.get(name) != _digest(salt, data[KEYS[name]])
    )


def _digest(salt: str, encoded: str) -> str:
    return hashlib.sha256(salt.encode() + base64.b64decode(encoded)).hexdigest()
