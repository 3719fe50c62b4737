"""One deployment in a cluster: looked at, tried, and changed step by step."""

import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sturdis.adapters.kubernetes import exec as executing
from sturdis.adapters.kubernetes import former
from sturdis.adapters.kubernetes.api import Cluster, is_gone
from sturdis.adapters.kubernetes.following import Following
from sturdis.core import servers
from sturdis.core import spec as specs
from sturdis.core.apply import facts, server
from sturdis.core.apply.facts import Facts, Right
from sturdis.core.apply.plan import REVISION as REVISION_LABEL
from sturdis.core.apply.plan import Action, Step
from sturdis.core.cluster import (
    CLAIM,
    NAMESPACE,
    POD,
    REVISION,
    SECRET,
    STORAGE_CLASS,
    Manifest,
    Ref,
    ref_of,
)
from sturdis.core.cluster_troubles import Scene
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.render import metadata
from sturdis.core.servers import Server
from sturdis.core.spec import Spec

GONE_SECONDS = 60.0
"""Longest wait until a deleted object is gone: the garbage collector orphans its pod first."""

SLICE_SECONDS = 1.0
"""Longest time in which an object's end can be missed."""

VERSION = ("sh", "-c", "valkey-server --version 2>/dev/null || redis-server --version")
"""What a server's image is asked: images of Valkey have a `redis-server` too."""

VERSION_SECONDS = 10.0
"""Longest wait for that answer."""

ANYWHERE = "default"
"""A namespace that every cluster has: where objects are tried while their own is not there."""


@dataclass(frozen=True)
class Deployment:
    """A deployment, and the cluster that it is applied to."""

    cluster: Cluster
    spec: Spec
    objects: Sequence[Manifest]

    def version(self) -> tuple[int, int]:
        """Give the release of the API server.

        Raises:
            ClusterError: It does not answer.
        """
        return self.cluster.version()

    def look(self) -> Facts:
        """Look at all that is there of the deployment.

        Raises:
            ClusterError: It may not be looked at, or the cluster does not answer.
        """
        cluster, spec = self.cluster, self.spec
        refs = [ref_of(one) for one in self.objects if one["kind"] != NAMESPACE.kind]
        kinds = {ref.kind for ref in refs}
        unserved = frozenset(kind for kind in kinds if not cluster.serves(kind))
        pod = cluster.get(Ref(POD, metadata.pod_name(spec), spec.namespace))
        live = {ref: cluster.get(ref) for ref in refs if ref.kind not in unserved}
        return Facts(
            kubectl=f"kubectl --context {shlex.quote(cluster.name)} -n {spec.namespace}",
            namespace=self._allowed(Ref(NAMESPACE, spec.namespace)),
            live=live,
            unserved=unserved,
            pod=pod,
            claim=cluster.get(Ref(CLAIM, metadata.claim_name(spec), spec.namespace)),
            storage_class=self._allowed(Ref(STORAGE_CLASS, spec.storage.storage_class)),
            secret_keys=self._secret_keys(),
            applications=self._applications(),
            server=self._server(pod),
            persistence=former.persisted(cluster, spec, pod, live),
            led_to=former.led_to(cluster, spec, live),
        )

    def template_of(self, pod: Manifest) -> Manifest | Unseen | None:
        """Give the template that a pod was made from, as its set's revision keeps it.

        Raises:
            ClusterError: The cluster does not answer.
        """
        name = (pod["metadata"].get("labels") or {}).get(REVISION_LABEL)
        found = self._allowed(Ref(REVISION, name, self.spec.namespace)) if name else None
        if not isinstance(found, dict):
            return found
        template: Manifest | None = ((found.get("data") or {}).get("spec") or {}).get("template")
        return template

    def missing(self, rights: Sequence[Right]) -> list[Right]:
        """Give those of the rights that the user has not.

        Raises:
            ClusterError: The cluster does not answer.
        """
        return [one for one in rights if not self.cluster.may(one.verb, one.kind, one.namespace)]

    def tried(self, step: Step, *, is_housed: bool) -> Manifest:
        """Give what the object of a step would be; change nothing.

        Args:
            step: Of the actions `CREATE`, `CHANGE` or `RECREATE`.
            is_housed: Whether its namespace is there.

        Raises:
            ClusterError: It would be refused.
        """
        manifest = step.manifest or {}
        if not is_housed and step.ref.kind.namespaced:
            return self.cluster.trial(manifest, ANYWHERE)
        if step.action is Action.RECREATE:
            return self.cluster.trial(manifest)
        return self.cluster.apply(manifest, dry_run=True, force=step.force)

    def warnings(self) -> tuple[str, ...]:
        """Give what admission has warned of since this was last asked."""
        return self.cluster.take_warnings()

    def apply(self, manifest: Manifest, *, force: bool) -> None:
        """Make an object what it is to be; twice is as once.

        Raises:
            ClusterError: It is refused.
        """
        self.cluster.apply(manifest, force=force)

    def merge(self, ref: Ref, changes: Manifest) -> None:
        """Merge changes into an object.

        Raises:
            ClusterError: It is refused, or not there.
        """
        self.cluster.patch(ref, changes)

    def delete(self, ref: Ref, uid: str, *, orphan: bool) -> None:
        """Delete the object of that uid and wait until it is gone; one that is, is as good.

        Args:
            ref: The object.
            uid: Another of its name is left alone.
            orphan: Let what belongs to it run on.

        Raises:
            ClusterError: It is refused, or is still there after a minute.
        """
        try:
            self.cluster.delete(ref, orphan=orphan, uid=uid)
        except ClusterError as error:
            # A set may have replaced its pod since it was looked at: that was to be done.
            if error.code != "cluster.conflict" or ref.kind != POD or self._is_there(ref, uid):
                raise
        if ref.kind != POD:  # a set makes the next pod by itself, when this one has ended
            _wait_until_gone(self.cluster, ref, uid)

    def scenes(self, seconds: float) -> Iterator[Scene]:
        """Give what is there whenever it changes, and each second, for so long.

        Raises:
            ClusterError: It may not be watched, or the connection broke.
        """
        return Following(self.cluster, self.spec, seconds).scenes()

    def _is_there(self, ref: Ref, uid: str) -> bool:
        live = self.cluster.get(ref)
        return live is not None and live["metadata"]["uid"] == uid

    def _allowed(self, ref: Ref) -> Manifest | Unseen | None:
        try:
            return self.cluster.get(ref)
        except ClusterError as error:
            if error.code != "cluster.forbidden":
                raise
            return Unseen(error.why)

    def _server(self, pod: Manifest | None) -> Server | None:
        """Ask the server that serves what it is, where the spec has another image."""
        image = server.serving_image(pod)
        container = None if pod is None else server.server_container(pod["spec"])
        if image in {None, specs.engine_image(self.spec)} or container is None:
            return None
        ref = Ref(POD, metadata.pod_name(self.spec), self.spec.namespace)
        try:
            ran = executing.run(
                self.cluster, ref, container["name"], VERSION, seconds=VERSION_SECONDS
            )
        except ClusterError:  # its image's tag tells as well
            return None
        return servers.parse_version_line(ran.out.decode(errors="replace"), str(image))

    def _secret_keys(self) -> frozenset[str] | Unseen | None:
        name = self.spec.access.password_secret
        if name is None:
            return None
        found = self._allowed(Ref(SECRET, name, self.spec.namespace))
        if not isinstance(found, dict):
            return found
        return frozenset(key for key, value in (found.get("data") or {}).items() if value)

    def _applications(self) -> frozenset[str]:
        try:
            if not self.cluster.serves(facts.APPLICATION):
                return frozenset()
            found = self.cluster.list(facts.APPLICATION)
        except ClusterError as error:
            if error.code != "cluster.forbidden":
                raise
            return frozenset()
        return frozenset(one["metadata"]["name"] for one in found)


def _wait_until_gone(cluster: Cluster, ref: Ref, uid: str) -> None:
    """Wait until the object that was looked at is no longer there.

    Raises:
        ClusterError: `cluster.lost`: it is there still after a minute.
    """
    end = time.monotonic() + GONE_SECONDS
    while time.monotonic() < end:
        live = cluster.get(ref)
        if live is None or live["metadata"]["uid"] != uid:
            return
        # In slices: one that went away before the watch began is never heard of.
        seen = cluster.watch(ref.kind, ref.namespace, name=ref.name, seconds=SLICE_SECONDS)
        if any(one["metadata"]["uid"] != uid or is_gone(one) for one in seen):
            return
    raise ClusterError(
        "cluster.lost",
        f"{ref} was deleted and is still there after {GONE_SECONDS:.0f} s",
        why="a finalizer keeps it, or the garbage collector does not run",
        do=f"kubectl --context {shlex.quote(cluster.name)} -n {ref.namespace} get {ref} -o yaml    "
        "shows its finalizers",
    )
