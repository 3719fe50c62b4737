"""Where the machine's parts are on disk, the addresses it takes, and its errors."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
MODULES = ROOT / "tests/cluster/modules"
SPEC = ROOT / "tests/cluster/sturdis.yaml"
"""What `make cluster-env` lets the verbs of a shell read where no spec is named."""

HOOKS = ROOT / "tests/cluster/hooks.yaml"
"""What drills may do to the nodes."""

HOME_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sturdis"
CACHE = HOME_CACHE / "cluster"
"""What takes long to make and is kept: `bin/KEY`, `images/KEY.tar`, `crds/KEY`."""
TRIXIE = HOME_CACHE / "trixie"
"""Where scripts/trixie-packages unpacks; read before the tests get a home of their own."""

STATE = Path("/var/lib/sturdis-cluster")
"""All that a running cluster writes. Short: a socket's path has 107 characters at most."""
LOGS = STATE / "log"
VOLUMES = STATE / "volumes"
KUBECONFIG = STATE / "kubeconfig"
"""For people and tests: contexts `test` and `limited`, the file's owner alone may read it."""
AGENTS_KUBECONFIG = STATE / "pki/agents.kubeconfig"
"""For the cluster's own parts, so that `kubectl config use-context` does not reach them."""
UP = STATE / "up"
"""There once everything serves: holds the key of the binaries that run."""
COMMANDS = STATE / "path"
"""Put on PATH by `make cluster-env`: kubectl and sturdis alone."""

BRIDGE = "sturdis0"
GATEWAY = "10.201.0.1"
SERVER = f"https://{GATEWAY}:6443"
PODS = "10.202.0.0/16"
SERVICES = "10.203.0.0/16"
KUBERNETES_SERVICE = "10.203.0.1"
DNS = "10.203.0.10"

CONTEXT = "test"
LIMITED = "limited"
"""A user, and a context, that may do nothing but what a test grants."""


class MachineError(Exception):
    """What could not be done, why, and what to type."""

    def __init__(self, what: str, *, why: str, do: str) -> None:
        super().__init__(f"error: {what}\nwhy:   {why}\ndo:    {do}")


@dataclass(frozen=True)
class Node:
    """A node: network namespace, link to the bridge, address, and the range of its pods."""

    number: int

    @property
    def name(self) -> str:
        return f"node{self.number}"

    @property
    def namespace(self) -> str:
        """Network namespace, and the cgroup that all its pods are in."""
        return f"sturdis-{self.name}"

    @property
    def link(self) -> str:
        """The end on the bridge; names of links have 15 characters at most."""
        return f"sturdis-{self.number}"

    @property
    def address(self) -> str:
        return f"10.201.0.{10 + self.number}"

    @property
    def pods(self) -> str:
        return f"10.202.{self.number}.0/24"

    @property
    def folder(self) -> Path:
        return STATE / self.name


NODES = tuple(Node(number) for number in (1, 2, 3))


def node_named(name: str) -> Node:
    """Give the node of that name.

    Raises:
        MachineError: There is none.
    """
    for node in NODES:
        if node.name == name:
            return node
    names = ", ".join(node.name for node in NODES)
    raise MachineError(f"no node {name!r}", why=f"the nodes are {names}", do="name one of them")


def key_of(parts: Iterable[bytes]) -> str:
    """Give the name in the cache of what was made from `parts`."""
    made_from = hashlib.sha256()
    for part in parts:
        made_from.update(hashlib.sha256(part).digest())
    return made_from.hexdigest()[:16]
