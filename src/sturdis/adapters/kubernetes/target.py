"""The deployment in a cluster, looked at as `verify` needs it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from sturdis.adapters import metrics_http
from sturdis.adapters.kubernetes import client_pod, entry, pod_look, unseen, words
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.port_forward import PortForward
from sturdis.adapters.redis import doctor_look
from sturdis.adapters.redis.target import RedisTarget
from sturdis.core import cluster, cluster_place
from sturdis.core.address import Address
from sturdis.core.cluster import SERVICE, Manifest, Ref, ref_of
from sturdis.core.cluster_facts import Asked, ClusterFacts, LiveObject
from sturdis.core.cluster_place import Place
from sturdis.core.doctor.live import Live
from sturdis.core.errors import AccessError, ClusterError, TargetError
from sturdis.core.facts import (
    NOT_TRIED,
    Machine,
    NoScrape,
    NotVisible,
    Refused,
    Restarted,
    Scrape,
    ServerFacts,
    Unseen,
)
from sturdis.core.ports import REDIS_PORT
from sturdis.core.render import metadata, workload
from sturdis.core.render.acl import STURDIS
from sturdis.core.spec import Spec


class PodTarget(AbstractContextManager["PodTarget"]):
    """The deployment of a spec in a cluster, reached through the API server.

    Args:
        cluster: Where.
        spec: The deployment; its namespace is where it is.
        place: The names in it.
        password: Of the user sturdis; None: read from the spec's Secret.
        metrics_url: Where its metrics are; None: read through the API server.
        read_only: Whether to send nothing that writes, and run no pod.
        start_seconds: Longest wait for it to serve after a restart.

    Raises:
        ClusterError: `cluster.no_pod`, or the pod may not be read.
    """

    def __init__(
        self,
        cluster: Cluster,
        spec: Spec,
        place: Place,
        *,
        password: str | None,
        metrics_url: str | None,
        read_only: bool,
        start_seconds: float,
    ) -> None:
        self._cluster = cluster
        self._spec = spec
        self._place = place
        self._metrics_url = metrics_url
        self._read_only = read_only
        self._start_seconds = start_seconds
        self._pod = entry.find_pod(cluster, place)
        self._login = entry.login(cluster, spec, place, password)
        self._password_is_given = password is not None
        self._forward = PortForward(cluster, place.pod, REDIS_PORT)

    def __exit__(self, *_error: object) -> None:
        self._forward.close()

    @property
    def pod(self) -> Ref:
        """Name the pod."""
        return self._place.pod

    @property
    def address(self) -> Address:
        """Where the server answers here, and as whom.

        Raises:
            ClusterError: The password may not be read, or the port is not reached.
        """
        if isinstance(self._login, ClusterError):
            raise self._login
        self._forward.try_once()
        return self._socket(self._login)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Tell of the pod what the socket that leads to it does not know.

        Raises:
            ClusterError: Why the port is not reached, in place of a connection that broke at once.
            TargetError: It does not answer as Redis.
            AccessError: It does not let us in.
        """
        try:
            yield
        except TargetError as error:
            raise (self._forward.refusal or self._unanswered(error)) from error
        except AccessError as error:
            is_given = self._password_is_given
            raise entry.denied(
                self._place, self._pod, self._spec, error.why, given=is_given
            ) from error

    def observe(self) -> ServerFacts:
        """Look once; what could not be reached is unseen.

        Raises:
            ClusterError: The API server does not answer any more.
        """
        look = pod_look.look(
            self._cluster,
            self._pod,
            self._place.pod,
            container=self._place.container,
            folder=metadata.DATA_FOLDER,
            host=self._place.host,
        )
        seen = self._server()
        machine: Machine | Unseen = look if isinstance(look, Unseen) else look.machine
        scrape = self._scrape() if self._metrics_url is None else seen.scrape
        return replace(
            seen,
            address=str(self),
            machine=machine,
            scrape=scrape,
            cluster=self._objects(look if isinstance(look, Unseen) else look.asked),
        )

    def watch(self) -> Live | Unseen:
        """Look at the server twice, seconds apart, through the forwarded port."""
        try:
            with self.explained():
                return doctor_look.look(self.address)
        except (ClusterError, TargetError, AccessError) as error:
            return unseen.because(error)

    def __str__(self) -> str:
        """Name it to people."""
        pod = self._place.pod
        return f"{pod} in namespace {pod.namespace} of {self._cluster.name}"

    def survive(
        self, restart: Callable[[], Refused | Unseen | None]
    ) -> Restarted | Refused | Unseen:
        """Restart with a marker in the server, and look for it afterwards.

        Raises:
            TargetError: It does not answer before the restart.
            AccessError: It does not let us in.
            ClusterError: It is not reached before the restart.
        """
        with self.explained():
            return self._redis(self.address).survive(restart)

    def _socket(self, password: str | None) -> Address:
        username = STURDIS.name if password else None
        return Address("", username=username, password=password, path=self._forward.path)

    def _unanswered(self, error: TargetError) -> TargetError:
        """Say the same of the pod, not of the socket here, which is gone when it is read."""
        socket = self._socket(self._login if isinstance(self._login, str) else None)
        pod, container = self._place.pod.name, self._place.container
        return TargetError(
            error.code,
            error.what.replace(str(socket), str(self)),
            why=error.why,
            do=f"{self._place.kubectl} logs {pod} -c {container}    shows what it said last",
        )

    def _redis(self, address: Address) -> RedisTarget:
        return RedisTarget(
            address,
            cli=self._place.cli,
            metrics_url=self._metrics_url,
            guarded=self._is_guarded(),
            read_only=self._read_only,
            start_seconds=self._start_seconds,
        )

    def _server(self) -> ServerFacts:
        """Look at the server through the forwarded port."""
        try:
            with self.explained():
                return self._redis(self.address).observe()
        except (ClusterError, TargetError, AccessError) as error:
            return self._nothing_seen(unseen.because(error))

    def _nothing_seen(self, reason: Unseen) -> ServerFacts:
        return ServerFacts(
            address="",
            cli=self._place.cli,
            ping=reason,
            config=reason,
            info=reason,
            guarded=self._is_guarded(),
            machine=reason,
            password_required=reason,
            round_trip=reason,
            scrape=reason,
            job=reason,
            features=reason,
            sample=reason,
            queues=reason,
        )

    def _is_guarded(self) -> bool:
        """Tell whether the pod was started by the start script of the spec, as it is there."""
        config = self._live(self._place.config)
        return cluster_place.is_guarded(self._place, self._pod, config)

    def _scrape(self) -> Scrape | NoScrape | Unseen:
        pod, port = self._place.pod, workload.exporter_port(self._spec)
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}:{port}/proxy/metrics"
        try:
            return metrics_http.read(path, self._cluster.proxied(path))
        except ClusterError as error:
            if error.code in {"cluster.forbidden", "cluster.lost"}:
                return unseen.because(error)
            return NoScrape(path, f"{error.what}: {error.why}")

    def _objects(self, from_its_own_pod: Asked | Unseen) -> ClusterFacts:
        is_ready = cluster.is_ready(self._pod)
        return ClusterFacts(
            events=() if is_ready else words.events(self._cluster, self._spec.namespace),
            logs={} if is_ready else words.logs(self._cluster, self._pod),
            kubectl=self._place.kubectl,
            apply=self._place.apply,
            grow=self._place.grow,
            pod=self._pod,
            claim=self._live(self._place.claim),
            host=self._place.host,
            wanted=self._place.wanted,
            live={ref: self._live(ref) for ref in map(ref_of, self._place.wanted)},
            services=self._services(),
            from_another_pod=self._from_another_pod(),
            from_its_own_pod=from_its_own_pod,
        )

    def _live(self, ref: Ref) -> LiveObject:
        try:
            found = self._cluster.get(ref)
            if found is None and ref.kind.group and not self._cluster.serves(ref.kind):
                return NotVisible(f"the cluster does not know {ref.kind.kind}")
        except ClusterError as error:
            return _unseen(error)
        return found

    def _services(self) -> tuple[Manifest, ...] | Unseen:
        try:
            return tuple(self._cluster.list(SERVICE, self._spec.namespace))
        except ClusterError as error:
            return _unseen(error)

    def _from_another_pod(self) -> Asked | Unseen:
        if self._read_only:
            return NOT_TRIED
        images = {one["name"]: one["image"] for one in self._pod["spec"]["containers"]}
        image = images.get(self._place.container)
        if image is None:
            return Unseen(f"the pod has no container {self._place.container}")
        return client_pod.ask(self._cluster, self._spec, image, self._place.host)


def _unseen(error: ClusterError) -> Unseen:
    """Take a refusal as something that was not seen; what ends everything goes on.

    Raises:
        ClusterError: The API server cannot be asked any more.
    """
    if error.code in {"cluster.unreachable", "cluster.lost", "cluster.denied"}:
        raise error
    return unseen.because(error)
