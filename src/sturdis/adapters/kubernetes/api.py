"""One cluster as one user: the few things that Sturdis asks of its API server."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Self

import httpx2

from sturdis.adapters.kubernetes import refusals, session
from sturdis.core.cluster import Kind, Manifest, Ref, ref_of
from sturdis.core.errors import ClusterError
from sturdis.core.render.metadata import MANAGER

WATCH_SECONDS = 30
"""How long one request of a watch is held open; it then goes on with the next."""

PAGE = "500"
"""Objects per answer of a list, as kubectl asks for."""

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
REVIEW = Kind(
    "authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews",
    namespaced=False,
)  # fmt: skip
GONE = 410
"""A watch's place in history is no longer kept: it starts again from what is there."""


class Cluster(AbstractContextManager["Cluster"]):
    """One cluster, as the user of one context; closed at the end of the block.

    Args:
        context: Of the kubeconfig; None: the current one.

    Raises:
        ClusterError: `cluster.none`, `cluster.unknown_context` or `cluster.kubeconfig`.
    """

    def __init__(self, context: str | None = None) -> None:
        self._session = session.Session(context)
        self.name = self._session.config.context_name
        self.namespace = self._session.config.context.namespace

    @property
    def http(self) -> httpx2.Client:
        """The HTTP client, for what is no request of one answer."""
        return self._session.http

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._session.close()

    def get(self, ref: Ref) -> Manifest | None:
        """Give an object; None: it is not there.

        Raises:
            ClusterError: It cannot be read.
        """
        try:
            return self._session.json("get", ref)
        except ClusterError as error:
            if error.code == "cluster.not_found":
                return None
            raise

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> list[Manifest]:
        """Give the objects of a kind, in one namespace or in all.

        Raises:
            ClusterError: They cannot be read.
        """
        ref = Ref(kind, "", namespace or "")
        params = session.selecting(labels, fields) | {"limit": PAGE}
        found: list[Manifest] = []
        while True:
            answer = self._session.json("list", ref, params=params)
            # Items of a list carry neither; what names a kind by them would not know these.
            head = {"apiVersion": kind.api_version, "kind": kind.kind}
            found += [head | one for one in answer.get("items") or ()]
            following = (answer.get("metadata") or {}).get("continue")
            if not following:
                return found
            params["continue"] = following

    def apply(self, manifest: Manifest, *, dry_run: bool = False, force: bool = False) -> Manifest:
        """Apply on the server's side as field manager `sturdis`; twice is as once.

        Args:
            manifest: All that we have to say of the object.
            dry_run: Change nothing; give what it would become.
            force: Take over fields that belong to others.

        Raises:
            ClusterError: `cluster.conflict` where fields belong to others; or it is refused.
        """
        params = {"fieldManager": MANAGER, "force": json.dumps(force)}
        params |= {"dryRun": "All"} if dry_run else {}
        return self._session.json(
            "patch", ref_of(manifest), params=params, body=manifest, content_type=APPLY
        )

    def trial(self, manifest: Manifest, namespace: str | None = None) -> Manifest:
        """Give what an object would be, were it made anew; change nothing.

        Args:
            manifest: The object; one of that name may be there.
            namespace: Try it in this one, as its own is not there yet.

        Raises:
            ClusterError: It would be refused.
        """
        named = manifest["metadata"]
        meta = {key: value for key, value in named.items() if key != "name"}
        meta |= {"generateName": f"{named['name']}-"}
        meta |= {"namespace": namespace} if namespace else {}
        ref = Ref(ref_of(manifest).kind, "", meta.get("namespace", ""))
        params = {"fieldManager": MANAGER, "dryRun": "All"}
        body = manifest | {"metadata": meta}
        made = self._session.json("create", ref, params=params, body=body, named=ref_of(manifest))
        return made | {"metadata": made["metadata"] | {"name": named["name"]}}

    def patch(self, ref: Ref, changes: Manifest) -> Manifest:
        """Merge `changes` into an object as RFC 7396 says.

        Raises:
            ClusterError: It is not there, or it is refused.
        """
        params = {"fieldManager": MANAGER}
        return self._session.json("patch", ref, params=params, body=changes, content_type=MERGE)

    def delete(
        self, ref: Ref, *, orphan: bool = False, uid: str | None = None, at_once: bool = False
    ) -> None:
        """Delete an object; one that is gone already is as good.

        Args:
            ref: The object.
            orphan: Leave what belongs to it: a StatefulSet's pod runs on.
            uid: Delete only the one that was looked at.
            at_once: Do not wait for its node to end it: that is off.

        Raises:
            ClusterError: `cluster.conflict`: it is another one now; or it is refused.
        """
        options: Manifest = {"apiVersion": "v1", "kind": "DeleteOptions"}
        options["propagationPolicy"] = "Orphan" if orphan else "Background"
        options |= {"gracePeriodSeconds": 0} if at_once else {}
        options |= {"preconditions": {"uid": uid}} if uid is not None else {}
        try:
            self._session.json("delete", ref, body=options)
        except ClusterError as error:
            if error.code != "cluster.not_found":
                raise

    def watch(
        self,
        kind: Kind,
        namespace: str,
        *,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        seconds: float,
    ) -> Iterator[Manifest]:
        """Give the objects as they are, then each again whenever it changes, for so many seconds.

        One that is deleted is given a last time: `is_gone` tells. After a break all are given anew.

        Raises:
            ClusterError: It may not be watched; or the connection broke twice in a row.
        """
        params = session.selecting(labels, {"metadata.name": name} if name else None)
        ref = Ref(kind, "", namespace)
        end = time.monotonic() + seconds
        broken = False
        while (left := end - time.monotonic()) > 0:
            try:
                for one in self._watched(ref, params, min(left, WATCH_SECONDS)):
                    broken = False
                    yield one
            except ClusterError as error:
                if broken or error.code not in {"cluster.lost", "cluster.unreachable"}:
                    raise
                broken = True

    def _watched(self, ref: Ref, params: Mapping[str, str], seconds: float) -> Iterator[Manifest]:
        asked = {**params, "watch": "true", "timeoutSeconds": str(max(1, round(seconds)))}
        for line in self._session.lines(ref, asked, "watch", seconds):
            event = json.loads(line)
            one = event["object"]
            if event["type"] == "ERROR":
                if one.get("code") == GONE:
                    return
                raise refusals.refused(one.get("code", 0), one, "watch", ref)
            yield _last(one) if event["type"] == "DELETED" else one

    def log(self, pod: Ref, container: str, *, lines: int, previous: bool = False) -> str:
        """Give the last lines of a container's log; empty where there is none.

        Args:
            pod: The pod.
            container: By name.
            lines: At most so many.
            previous: Of the run before this one.

        Raises:
            ClusterError: It may not be read.
        """
        params = {"container": container, "tailLines": str(lines)}
        params |= {"previous": "true"} if previous else {}
        try:
            return self._session.send(
                "GET", f"{session.path(pod)}/log", "get", pod, params=params
            ).text
        except ClusterError as error:
            if error.code in {"cluster.not_found", "cluster.refused"}:  # it has not started yet
                return ""
            raise

    def may(self, verb: str, kind: Kind, namespace: str) -> bool:
        """Ask whether the user may do `verb` to a kind, or to its part as in pods/exec.

        Raises:
            ClusterError: The question is not answered.
        """
        plural, _, part = kind.plural.partition("/")
        asked = {"verb": verb, "group": kind.group, "resource": plural, "namespace": namespace}
        asked |= {"subresource": part} if part else {}
        review = {
            "apiVersion": REVIEW.api_version,
            "kind": REVIEW.kind,
            "spec": {"resourceAttributes": asked},
        }
        answer = self._session.json("create", Ref(REVIEW, ""), body=review)
        return bool(answer["status"]["allowed"])

    def version(self) -> tuple[int, int]:
        """Give the release of the API server, as (1, 34).

        Raises:
            ClusterError: The API server does not answer.
        """
        told = self._session.told("/version", "major")
        return int(told["major"].rstrip("+")), int(told["minor"].rstrip("+"))

    def serves(self, kind: Kind) -> bool:
        """Tell whether the API server knows the kind: whether its CRD is installed.

        Raises:
            ClusterError: The API server does not answer.
        """
        try:
            told = self._session.told(session.root(kind), "resources")
        except ClusterError as error:
            if error.code == "cluster.not_found":
                return False
            raise
        return any(one["name"] == kind.plural for one in told["resources"])

    def proxied(self, path: str) -> bytes:
        """Get a path through the API server, as a pod's metrics.

        Raises:
            ClusterError: It may not be read, or nothing answers there.
        """
        return self._session.send("GET", path, "get", path).content

    def take_warnings(self) -> tuple[str, ...]:
        """Give what admission has warned of since this was last asked, each once."""
        taken = tuple(dict.fromkeys(self._session.warnings))
        self._session.warnings.clear()
        return taken


def is_gone(manifest: Manifest) -> bool:
    """Tell whether a watch gave this object for the last time: it is deleted."""
    meta = manifest["metadata"]
    at_once = meta.get("deletionGracePeriodSeconds") == 0
    return at_once and "deletionTimestamp" in meta and not meta.get("finalizers")


def _last(manifest: Manifest) -> Manifest:
    """Mark an object as deleted: what has no grace vanishes without a mark."""
    meta = {key: value for key, value in manifest["metadata"].items() if key != "finalizers"}
    meta = {"deletionTimestamp": meta.get("creationTimestamp")} | meta
    return manifest | {"metadata": meta | {"deletionGracePeriodSeconds": 0}}
