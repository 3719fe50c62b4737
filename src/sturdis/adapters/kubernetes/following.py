"""A deployment in a cluster, followed by watches until it serves."""

import itertools
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sturdis.adapters.kubernetes.api import Cluster, is_gone
from sturdis.core.cluster import CLAIM, EVENT, POD, STATEFUL_SET, Manifest, Ref
from sturdis.core.cluster_troubles import Scene, container_statuses
from sturdis.core.errors import ClusterError
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

LOG_LINES = 20
"""Lines of a log that are looked at for why a container ended."""

TICK_SECONDS = 1.0
"""At least so often a scene is given, though nothing has changed."""


@dataclass
class Following:
    """A deployment that is followed, each of its kinds by a watch in a thread of its own."""

    cluster: Cluster
    spec: Spec
    seconds: float
    _changes: "queue.SimpleQueue[Manifest | ClusterError]" = field(
        default_factory=queue.SimpleQueue, init=False
    )
    _stopped: threading.Event = field(default_factory=threading.Event, init=False)
    _logs: dict[str, tuple[str, str]] = field(default_factory=dict, init=False)
    """Container to the id of the run that ended, and its last lines."""

    def scenes(self) -> Iterator[Scene]:
        """Give what is there whenever it changes, and each second, until the time is over.

        Raises:
            ClusterError: The set or its pod may not be watched, or the connection broke.
        """
        refs = (
            Ref(STATEFUL_SET, self.spec.name, self.spec.namespace),
            Ref(POD, metadata.pod_name(self.spec), self.spec.namespace),
            Ref(CLAIM, metadata.claim_name(self.spec), self.spec.namespace),
        )
        for ref in (*refs, Ref(EVENT, "", self.spec.namespace)):
            threading.Thread(target=self._watch, args=(ref,), daemon=True).start()
        live = {ref.kind.kind: one for ref in refs if (one := self.cluster.get(ref)) is not None}
        try:
            yield from self._gathered(live)
        finally:
            self._stopped.set()

    def _watch(self, ref: Ref) -> None:
        watched = self.cluster.watch(
            ref.kind, ref.namespace, name=ref.name or None, seconds=self.seconds
        )
        try:
            for one in watched:
                if self._stopped.is_set():
                    return
                self._changes.put({"kind": ref.kind.kind} | one)
        except ClusterError as error:
            if ref.kind in {STATEFUL_SET, POD}:  # without the others less is explained
                self._changes.put(error)

    def _gathered(self, live: dict[str, Manifest]) -> Iterator[Scene]:
        events: dict[str, Manifest] = {}
        end = time.monotonic() + self.seconds
        while (left := end - time.monotonic()) > 0:
            for one in self._batch(min(left, TICK_SECONDS)):
                if isinstance(one, ClusterError):
                    raise one
                if one["kind"] == EVENT.kind:
                    events[one["metadata"]["uid"]] = one
                elif is_gone(one):
                    live.pop(one["kind"], None)
                else:
                    live[one["kind"]] = one
            pod = live.get(POD.kind)
            yield Scene(
                live.get(STATEFUL_SET.kind), pod, live.get(CLAIM.kind),
                tuple(events.values()), self._read_logs(pod),
            )  # fmt: skip

    def _batch(self, seconds: float) -> Iterator[Manifest | ClusterError]:
        """Give what has changed: wait for the first, then take what is there with it."""
        try:
            yield self._changes.get(timeout=seconds)
            for _more in itertools.count():
                yield self._changes.get_nowait()
        except queue.Empty:
            return

    def _read_logs(self, pod: Manifest | None) -> dict[str, str]:
        for status in () if pod is None else container_statuses(pod):
            state, last = status.get("state") or {}, status.get("lastState") or {}
            now, before = state.get("terminated"), last.get("terminated")
            ended = now or before
            known = self._logs.get(status["name"], ("", ""))[0]
            if pod is not None and ended and ended.get("containerID", "?") != known:
                self._logs[status["name"]] = (
                    ended.get("containerID", "?"),
                    self._log(pod, status["name"], previous=not now),
                )
        return {name: text for name, (_run, text) in self._logs.items()}

    def _log(self, pod: Manifest, container: str, *, previous: bool) -> str:
        ref = Ref(POD, pod["metadata"]["name"], self.spec.namespace)
        try:
            return self.cluster.log(ref, container, lines=LOG_LINES, previous=previous)
        except ClusterError as error:
            if error.code != "cluster.forbidden":
                raise
            return ""
