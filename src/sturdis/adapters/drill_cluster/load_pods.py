"""Pods of load: BullMQ's producers and workers where a user's are, beside the deployment."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Self

from sturdis.adapters.drill.server import CLOCK
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.drill_cluster import pod_load, programs
from sturdis.adapters.kubernetes import client_pod
from sturdis.adapters.kubernetes import exec as executing
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core import cluster_aim
from sturdis.core.cluster import POD, Manifest, Ref, is_ready, ref_of
from sturdis.core.drill.undo import DeleteObject
from sturdis.core.errors import DrillError
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

READY_SECONDS = 180.0
"""Longest wait for the pods: their images may have to be fetched."""

LIFE_SECONDS = 4 * 3600
"""Longest life of a pod: Kubernetes ends it then, whatever became of us and of the undo."""

MEMORY = "512Mi"
"""Limit of each; a load takes about 100 MB."""

ANSWER_SECONDS = 30.0
"""Longest wait for a program that only tells something."""

LOGS = "/ledger"
"""Where the ledger's logs are in a pod: a volume of its own, which the server has no part in."""

CONTAINER = "load"
COMPONENT = "drill"
HOSTNAME = "kubernetes.io/hostname"
LOOKS_AT_CLOCK = 3


class LoadPods(AbstractContextManager["LoadPods"]):
    """A pod for each language, all on one node: their times are then those of one clock.

    Args:
        cluster: Where.
        spec: The deployment that they load; they are in its namespace.
        images: Language to the image of its pod.
        journal: Where is written first what must be removed.
        name: Tells them from those of other drills.
        away_from: They are not on this node; None: they may be on any.
    """

    def __init__(
        self,
        cluster: Cluster,
        spec: Spec,
        images: Mapping[str, str],
        journal: Journal,
        name: str,
        *,
        away_from: str | None,
    ) -> None:
        self._cluster = cluster
        self._spec = spec
        self._images = images
        self._journal = journal
        self._name = f"{spec.name}-drill-{name}"
        self._away_from = away_from

    def __enter__(self) -> Self:
        """Start the pods, and return when all are ready.

        Raises:
            ClusterError: One is refused.
            DrillError: `drill.load_failed`: one does not get ready.
        """
        if not self._images:
            return self
        mounted = programs.config_map(self._name, self._spec.namespace, self._labels())
        for manifest in (mounted, *self._pods()):
            ref = ref_of(manifest)
            step = DeleteObject(self._cluster.name, ref.kind.kind, ref.name, ref.namespace)
            self._journal.note(step)
            self._cluster.apply(manifest)
        self._wait_until_ready()
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave them to the journal, which removes them when its run ends."""

    @property
    def writers(self) -> Sequence[str]:
        """The languages that make load."""
        return tuple(self._images)

    def pod(self, writer: str) -> Ref:
        """Name the pod of a language."""
        return Ref(POD, f"{self._name}-{writer}", self._spec.namespace)

    def command(self, writer: str) -> Sequence[str]:
        """Give the command of a process here that is the load of a language there."""
        words = programs.COMMANDS[writer]
        return pod_load.command(self._cluster.name, self.pod(writer), CONTAINER, words)

    def run(self, writer: str, command: Sequence[str]) -> bytes:
        """Run a program in the pod of a language, and give what it printed.

        Raises:
            ClusterError: It cannot be run.
            DrillError: `drill.load_failed`: it failed.
        """
        pod = self.pod(writer)
        ran = executing.run(self._cluster, pod, CONTAINER, command, seconds=ANSWER_SECONDS)
        if ran.status:
            why = ran.err.decode(errors="replace").strip().splitlines()[-1:]
            raise self._failure(f"{command[0]} ended with status {ran.status}", *why)
        return ran.out

    def connects(self, host: str, port: int, seconds: float) -> bool:
        """Try to connect from a pod; tell whether the connection was taken within `seconds`.

        Raises:
            ClusterError: The pod cannot be asked.
            DrillError: `drill.load_failed`.
        """
        writer = next(iter(self._images))
        words = (*programs.CONNECTS[writer], host, str(port), str(seconds))
        return self.run(writer, words).strip() == programs.CONNECTED

    def ahead(self) -> int:
        """Measure how far the pods' clock is ahead of ours, in milliseconds.

        Raises:
            ClusterError: A pod cannot be asked.
            DrillError: `drill.load_failed`.
        """
        return min(self._look_at_clock() for _look in range(LOOKS_AT_CLOCK))[1]

    def _look_at_clock(self) -> tuple[int, int]:
        """Give how long the look took, and by how much the pods' clock is ahead in its middle."""
        writer = next(iter(self._images))
        asked = CLOCK.now()
        told = int(self.run(writer, programs.CLOCKS[writer]))
        took = CLOCK.now() - asked
        ahead = told - asked - took // 2
        return took, 0 if abs(ahead) <= took else ahead  # less cannot be told from none

    def _labels(self) -> Mapping[str, str]:
        """Give labels that no Service of the deployment selects."""
        name = {"app.kubernetes.io/name": self._name, metadata.COMPONENT: COMPONENT}
        return name | metadata.client_label(self._spec)

    def _pods(self) -> Iterator[Manifest]:
        for writer, image in self._images.items():
            mounts = [
                {"name": "programs", "mountPath": programs.FOLDER, "readOnly": True},
                {"name": "ledger", "mountPath": LOGS},
            ]
            container = {
                "name": CONTAINER,
                "image": image,
                "command": list(programs.IDLE[writer]),
                "volumeMounts": mounts,
            }
            one = client_pod.confined([container], seconds=LIFE_SECONDS, memory=MEMORY)
            one["securityContext"]["fsGroup"] = one["securityContext"]["runAsGroup"]
            one["volumes"] = [
                {"name": "programs", "configMap": {"name": self._name}},
                {"name": "ledger", "emptyDir": {}},
            ]
            one["affinity"] = self._affinity(is_first=writer == next(iter(self._images)))
            meta = {"name": self.pod(writer).name, "namespace": self._spec.namespace}
            head = {"apiVersion": "v1", "kind": "Pod"}
            yield head | {"metadata": meta | {"labels": dict(self._labels())}, "spec": one}

    def _affinity(self, *, is_first: bool) -> Manifest:
        affinity: Manifest = {}
        if not is_first:
            beside = {"labelSelector": {"matchLabels": self._labels()}, "topologyKey": HOSTNAME}
            affinity["podAffinity"] = _required([beside])
        if self._away_from:
            elsewhere = {"key": HOSTNAME, "operator": "NotIn", "values": [self._away_from]}
            terms = {"nodeSelectorTerms": [{"matchExpressions": [elsewhere]}]}
            affinity["nodeAffinity"] = _required(terms)
        return affinity

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + READY_SECONDS
        for writer in self._images:
            ref, last = self.pod(writer), {}
            left = max(1.0, until - time.monotonic())
            for last in self._cluster.watch(POD, ref.namespace, name=ref.name, seconds=left):
                if is_ready(last) or client_pod.is_stuck(last.get("status") or {}):
                    break
            if not is_ready(last):
                why = client_pod.reason(last.get("status") or {})
                raise self._failure(f"{ref} with image {self._images[writer]} did not run", why)

    def _failure(self, *why: str) -> DrillError:
        kubectl = cluster_aim.kubectl(self._cluster.name, self._spec.namespace)
        return DrillError(
            "drill.load_failed",
            "no load could be made in the cluster",
            why=": ".join(why),
            do=f"{kubectl} get events    tells more; the image has to hold BullMQ",
        )


def _required(terms: object) -> Manifest:
    return {"requiredDuringSchedulingIgnoredDuringExecution": terms}
