"""A deployment in a cluster that may be ill, looked at and brought to another node."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2

from sturdis.adapters.kubernetes import entry, inside, node_taints, unseen, words
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.following import Following
from sturdis.adapters.kubernetes.target import PodTarget
from sturdis.core.apply.facts import Right
from sturdis.core.cluster import EVENT, NODE, POD, STATEFUL_SET, Kind, Manifest, Ref
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.cluster_place import Place
from sturdis.core.cluster_troubles import Scene
from sturdis.core.doctor import nodes
from sturdis.core.doctor.declaring import Named
from sturdis.core.doctor.facts import NO_LOOK, NO_POD, VOLUME_ATTACHMENT, Inside, Sight
from sturdis.core.doctor.live import Live
from sturdis.core.errors import ClusterError
from sturdis.core.facts import ServerFacts, Unseen
from sturdis.core.render import workload
from sturdis.core.spec import Spec

ANSWER_SECONDS = 5.0
"""Longest wait for the exporter of a pod whose node does not report."""

ON_NODE = "spec.nodeName"
FORBIDDEN = 403


@dataclass
class Examined:
    """The deployment of a spec, in one cluster.

    Args:
        cluster: Where.
        spec: The deployment; its namespace is where it is.
        place: The names in it.
        request: What to type to reach it again.
        pod_target: Opens the pod to look at its server, without writing.
    """

    cluster: Cluster
    spec: Spec
    place: Place
    request: ClusterRequest
    pod_target: Callable[[], PodTarget]
    _unseen: list[Unseen] = field(default_factory=list, init=False)

    def look(self) -> Sight:
        """Look at all of it once; what may not be seen is said to be unseen.

        Raises:
            ClusterError: `cluster.no_pod`: nothing of it is there; or the pod may not be read, or
                the cluster does not answer.
        """
        self._unseen = []
        pod = self.cluster.get(self.place.pod)
        node = self._node_of(pod)
        is_lost = isinstance(node, dict) and nodes.is_silent(node)
        owner = self._get(Ref(STATEFUL_SET, self.spec.name, self.spec.namespace))
        claim = self._get(self.place.claim)
        if pod is None and owner is None and claim is None:
            entry.find_pod(self.cluster, self.place)  # nothing is there to be looked at: it says so
        is_up = pod is not None and not is_lost and _runs(pod, self.place.container)
        server, live = self._server() if is_up else (NO_POD, NO_LOOK)
        return Sight(
            target=self.target,
            kubectl=self.place.kubectl,
            doctor=self.request.doctor,
            apply=self.place.apply,
            cli=self.place.cli,
            now=datetime.now(UTC),
            scene=self._scene(_there(owner), pod, _there(claim), is_lost=is_lost),
            node=node,
            is_set_seen=not isinstance(owner, Unseen),
            declared=[one for one in self._seen(NODE) if nodes.is_declared(one)],
            attached=self._attached(_there(claim)),
            answers=self._answers() if is_lost and pod is not None else False,
            server=server,
            live=live,
            log=self._log(pod) if is_up and pod else "",
            inside=self._inside(pod) if is_up and pod else NO_POD,
            unseen=tuple(self._unseen),
        )

    @property
    def target(self) -> str:
        """Name it to people."""
        pod = self.place.pod
        return f"{pod} in namespace {pod.namespace} of {self.cluster.name}"

    def named(self, name: str) -> Named:
        """Find a node by its name.

        Raises:
            ClusterError: It may not be read.
        """
        node = self.cluster.get(Ref(NODE, name))
        names = [] if node else [one["metadata"]["name"] for one in self.cluster.list(NODE)]
        try:
            pods: int | Unseen = len(self.cluster.list(POD, fields={ON_NODE: name}))
        except ClusterError as error:
            pods = _refused(error)
        return Named(name, node, names, pods)

    def missing(self, rights: Sequence[Right]) -> list[Right]:
        """Give those of the rights that the user has not.

        Raises:
            ClusterError: The cluster does not answer.
        """
        return [one for one in rights if not self.cluster.may(one.verb, one.kind, one.namespace)]

    def declare_off(self, node: str) -> None:
        """Set the taint out-of-service on a node.

        Raises:
            ClusterError: It is refused.
        """
        node_taints.declare_off(self.cluster, node)

    def take_off(self, node: str) -> None:
        """Take the taint out-of-service off a node.

        Raises:
            ClusterError: It is refused.
        """
        node_taints.take_off(self.cluster, node)

    def remove_pod(self, uid: str) -> None:
        """Delete the pod of that uid without a word of its node; one that is gone is as good.

        Raises:
            ClusterError: It is refused.
        """
        try:
            self.cluster.delete(self.place.pod, uid=uid, at_once=True)
        except ClusterError as error:
            if error.code != "cluster.conflict":  # another pod has its name: it has moved already
                raise

    def scenes(self, seconds: float) -> Iterator[Scene]:
        """Give what is there whenever it changes, and each second, for so long.

        Raises:
            ClusterError: It may not be watched, or the connection broke.
        """
        return Following(self.cluster, self.spec, seconds).scenes()

    def _scene(
        self, owner: Manifest | None, pod: Manifest | None, claim: Manifest | None, *, is_lost: bool
    ) -> Scene:
        return Scene(
            owner,
            pod,
            claim,
            tuple(self._seen(EVENT, self.spec.namespace)),
            # a node that is silent is asked for no log: that lasts until it is given up
            {} if pod is None or is_lost else words.logs(self.cluster, pod),
        )

    def _node_of(self, pod: Manifest | None) -> Manifest | Unseen | None:
        name = None if pod is None else pod["spec"].get("nodeName")
        if not name:
            return None
        try:
            return self.cluster.get(Ref(NODE, name))
        except ClusterError as error:
            return _refused(error)

    def _get(self, ref: Ref) -> Manifest | Unseen | None:
        try:
            return self.cluster.get(ref)
        except ClusterError as error:
            self._unseen.append(_refused(error))
            return self._unseen[-1]

    def _seen(self, kind: Kind, namespace: str | None = None) -> list[Manifest]:
        try:
            return self.cluster.list(kind, namespace)
        except ClusterError as error:
            self._unseen.append(_refused(error))
            return []

    def _attached(self, claim: Manifest | None) -> Sequence[Manifest] | Unseen:
        volume = ((claim or {}).get("spec") or {}).get("volumeName")
        try:
            found = self.cluster.list(VOLUME_ATTACHMENT)
        except ClusterError as error:
            return _refused(error)
        return [one for one in found if _volume_of(one) == volume]

    def _answers(self) -> bool | Unseen:
        pod, port = self.place.pod, workload.exporter_port(self.spec)
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}:{port}/proxy/metrics"
        try:
            response = self.cluster.http.get(path, timeout=ANSWER_SECONDS)
        except httpx2.HTTPError:
            return False
        if response.status_code == FORBIDDEN:
            return Unseen(f"the user of this context may not get pods/proxy of {pod.name}")
        return bool(response.is_success)

    def _server(self) -> tuple[ServerFacts | Unseen, Live | Unseen]:
        try:
            with self.pod_target() as target:
                facts = target.observe()
                return facts, NO_LOOK if isinstance(facts.info, Unseen) else target.watch()
        except ClusterError as error:
            return _refused(error), NO_LOOK

    def _log(self, pod: Manifest) -> str:
        return words.log(self.cluster, pod, self.place.container, lines=words.LAST_LINES)

    def _inside(self, pod: Manifest) -> Inside | Unseen:
        return inside.look(self.cluster, self.spec, pod, self.place.pod, self.place.container)


def _there(found: Manifest | Unseen | None) -> Manifest | None:
    return found if isinstance(found, dict) else None


def _runs(pod: Manifest, container: str) -> bool:
    told = (pod.get("status") or {}).get("containerStatuses") or ()
    return any(one["name"] == container and "running" in (one.get("state") or {}) for one in told)


def _volume_of(attachment: Manifest) -> str:
    return str((attachment["spec"].get("source") or {}).get("persistentVolumeName"))


def _refused(error: ClusterError) -> Unseen:
    """Take a refusal as something that was not seen.

    Raises:
        ClusterError: The API server cannot be asked any more.
    """
    if error.code in {"cluster.unreachable", "cluster.denied"}:
        raise error
    return unseen.because(error)
