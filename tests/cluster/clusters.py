"""The cluster that the tests of this folder run on, and what they do to it and take away again."""

import contextlib
import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.machine import places

ASKED_FOR = "STURDIS_TEST_CLUSTER"
"""Set to 1 by `make test-cluster`: without it no cluster of the user's own is touched."""
OWN_LABEL = "sturdis-test"
"""On every namespace that a test made: one without it is never deleted on a user's cluster."""
WAIT = "90s"


@dataclass(frozen=True)
class Cluster:
    """A cluster that answers, as kubectl reaches it."""

    kubeconfig: Path
    context: str
    program: str
    node_faults: bool
    """Whether its nodes are ours to crash: the one that `make cluster` runs."""

    def try_kubectl(
        self, *words: str, given: str | None = None, context: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl and give how it ended."""
        command = (self.program, f"--context={context or self.context}", *words)
        # The option takes one file, the variable a list of them.
        env = os.environ | {"KUBECONFIG": str(self.kubeconfig)}
        return subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, env=env
        )

    def kubectl(self, *words: str, given: str | None = None) -> str:
        """Run kubectl and give what it printed.

        Raises:
            AssertionError: It failed; its words are told.
        """
        done = self.try_kubectl(*words, given=given)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr.strip()}"
        return done.stdout

    def get(self, *words: str) -> Any:
        """Give an object, or a list of them, as it is on the API server."""
        return json.loads(self.kubectl("get", *words, "--output=json"))

    def apply(self, *objects: dict[str, Any], namespace: str = "default") -> None:
        """Create or change objects."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-n", namespace, "-f", "-", given=json.dumps(listed))

    def wait_ready(self, namespace: str, *pods: str, timeout: str = WAIT) -> None:
        """Return when the pods are there and ready."""
        names = [f"pod/{pod}" for pod in pods]
        self.kubectl("wait", "-n", namespace, *names, "--for=create", f"--timeout={timeout}")
        ready = "--for=condition=Ready"
        self.kubectl("wait", "-n", namespace, *names, ready, f"--timeout={timeout}")

    @contextlib.contextmanager
    def namespace(self, name: str, *, create: bool = True) -> Iterator[str]:
        """Have a namespace for one test: not there before, and taken away behind it.

        Raises:
            AssertionError: On a user's cluster there is one of this name that no test made.
        """
        self._wait_until_free(name)
        if create:
            self.kubectl("create", "namespace", name)
            self.kubectl("label", "namespace", name, f"{OWN_LABEL}=1")
        try:
            yield name
        finally:
            self._remove(name)

    def _wait_until_free(self, name: str) -> None:
        found = self.try_kubectl("get", "namespace", name, "--output=json")
        if found.returncode:
            return
        told = json.loads(found.stdout)
        is_ours = self.node_faults or OWN_LABEL in told["metadata"].get("labels", {})
        is_ours = is_ours or told["status"]["phase"] == "Terminating"
        assert is_ours, f"the namespace {name} is there already, and no test made it"
        self._remove(name)
        self.kubectl("wait", f"namespace/{name}", "--for=delete", "--timeout=120s")

    def _remove(self, name: str) -> None:
        """Delete a namespace and its volumes; that it is gone is awaited by who needs its name."""
        for volume in self.get("persistentvolumes")["items"]:
            if volume["spec"].get("claimRef", {}).get("namespace") == name:
                policy = {"spec": {"persistentVolumeReclaimPolicy": "Delete"}}
                words = ("persistentvolume", volume["metadata"]["name"], "-p", json.dumps(policy))
                self.kubectl("patch", *words)
        self.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


@functools.cache
def find() -> Cluster | str:
    """Give the cluster that the tests run on, or say why there is none."""
    named = os.environ.get("KUBECONFIG", "")
    if named and Path(named) != places.KUBECONFIG:
        return _of_the_user(Path(named))
    return _own()


def _own() -> Cluster | str:
    if not places.UP.exists():
        return "no cluster runs here (make cluster)"
    if not os.access(places.KUBECONFIG, os.R_OK):
        return f"{places.KUBECONFIG} is for its owner alone (run as root)"
    kubectl = str(places.COMMANDS / "kubectl")
    return _answering(Cluster(places.KUBECONFIG, places.CONTEXT, kubectl, node_faults=True))


def _of_the_user(kubeconfig: Path) -> Cluster | str:
    if os.environ.get(ASKED_FOR) != "1":
        return "KUBECONFIG names a cluster of yours (make test-cluster runs on it)"
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        return "KUBECONFIG is set and no kubectl is on PATH"
    asked = [kubectl, "config", "current-context"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    if told.returncode:
        return f"{kubeconfig} names no current context"
    return _answering(Cluster(kubeconfig, told.stdout.strip(), kubectl, node_faults=False))


def _answering(cluster: Cluster) -> Cluster | str:
    asked = cluster.try_kubectl("get", "--raw", "/readyz", "--request-timeout=5s")
    if asked.returncode:
        return f"the context {cluster.context} does not answer: {asked.stderr.strip()[-200:]}"
    return cluster


def missing() -> str:
    """Say why there is no cluster; empty: there is one."""
    found = find()
    return found if isinstance(found, str) else ""
