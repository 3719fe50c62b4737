"""The target of drills that is a deployment in a cluster."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sturdis.adapters.drill import stage as stages
from sturdis.adapters.drill.ledger_log import LedgerLog
from sturdis.adapters.drill.log_follower import LogFollower
from sturdis.adapters.drill.server import DrillQueues, SystemClock
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.drill_cluster import faults, marks
from sturdis.adapters.drill_cluster.deployment import BrokenDeployment
from sturdis.adapters.drill_cluster.load_pods import LoadPods
from sturdis.adapters.drill_cluster.loads import PodLoad
from sturdis.adapters.kubernetes import entry
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.target import PodTarget
from sturdis.adapters.local import signals
from sturdis.core.address import Address
from sturdis.core.apply import objections
from sturdis.core.cluster import NAMESPACE, NODE, Ref
from sturdis.core.cluster_place import Place
from sturdis.core.drill import abilities, cluster_rights, hooks
from sturdis.core.drill.faults.cluster import NodeCrash, PodDelete
from sturdis.core.drill.faults.memory import MemoryFull
from sturdis.core.drill.faults.network import Partition
from sturdis.core.drill.faults.process import Kill, Moment
from sturdis.core.drill.hooks import Hooks
from sturdis.core.drill.outcome import Seen
from sturdis.core.drill.run import QUEUES, Run
from sturdis.core.drill.scenario import Scenario
from sturdis.core.drill.stage import Fault
from sturdis.core.errors import ClusterError, DrillError
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

NAME = 8
"""Characters of a run's name that its pods' names have."""


class PodsClock(SystemClock):
    """The clock of the pods of load: all events of a ledger are those of one clock."""

    ahead = 0
    """By how much it is ahead of this machine's, in milliseconds."""

    def now(self) -> int:
        """Give the time in milliseconds since 1970."""
        return super().now() + self.ahead


@dataclass(frozen=True)
class ClusterTarget:
    """The deployment of a spec in a cluster, in a namespace that is marked for drills.

    Args:
        cluster: Where.
        spec: The deployment; its namespace is where it is.
        place: The names in it.
        pod_target: Opens the way to its server.
        hooks: What can be done to its nodes.
        declare_off: Takes the word that a node is off; returns when the pod serves elsewhere.
    """

    cluster: Cluster
    spec: Spec
    place: Place
    pod_target: Callable[[], PodTarget]
    hooks: Hooks
    declare_off: Callable[[str], None]

    @property
    def name(self) -> str:
        """Name it as people do."""
        pod = self.place.pod
        return f"{pod} in namespace {pod.namespace} of {self.cluster.name}"

    @property
    def server(self) -> str:
        """The image of the server; empty: the pod may not be read."""
        try:
            pod = self.cluster.get(self.place.pod) or {"spec": {"containers": ()}}
        except ClusterError:
            return ""
        named = (one for one in pod["spec"]["containers"] if one["name"] == self.place.container)
        return next((str(one["image"]) for one in named), "")

    def refuse_unmarked(self, scenario: Scenario | None = None) -> None:
        """Refuse a deployment that is not there, or whose namespace is not marked for drills.

        Where the drill's fault strikes the node, the server's node must be marked, too.

        Raises:
            ClusterError: `cluster.no_pod`, or the cluster does not answer.
            DrillError: `drill.not_marked`.
        """
        pod = entry.find_pod(self.cluster, self.place)
        marks.refuse_unmarked(self.cluster, Ref(NAMESPACE, self.spec.namespace))
        if scenario is not None and hooks.strikes_node(scenario.fault, self.hooks):
            node = pod["spec"].get("nodeName", "")
            marks.refuse_unmarked(self.cluster, Ref(NODE, node))

    def lacking(self, scenario: Scenario) -> Sequence[str]:
        """Say why the drill cannot be run here; empty: it can. Nothing is changed."""
        lacking = abilities.lacking(scenario.needs, hooks.abilities(self.hooks))
        told = [_unfit(scenario), *lacking]
        if not any(told) and scenario.load is not None and not self._images():
            told.append(
                "no image for pods of load: tools.image in the spec, or the file of --hooks"
            )
        if not any(told):
            told.append(self._unmarked(scenario))
        return [one for one in told if one]

    def _unmarked(self, scenario: Scenario) -> str:
        """Say which mark is missing; empty: none."""
        try:
            self.refuse_unmarked(scenario)
        except DrillError as error:
            return f"{error.what}: {error.why}; {error.do}"
        return ""

    def stage(self, run: Run) -> "AbstractContextManager[ClusterStage]":
        """Make the stage of a run; at its end nothing of it is left.

        Raises:
            DrillError: `drill.not_marked`, and nothing was touched; or no load can be made.
            ClusterError: A right is missing, and nothing was touched; or the cluster is not
                reached, or refuses something.
            TargetError: The server does not answer.
            AccessError: It does not let us in.
        """
        return self.staged(run, functools.partial(self._fault, run))

    @contextmanager
    def staged(
        self, run: Run, fault: Callable[[BrokenDeployment, LoadPods], Fault]
    ) -> "Iterator[ClusterStage]":
        """Make the stage of a run whose fault is made by `fault`.

        Raises:
            SturdisError: As for `stage`.
        """
        self.refuse_unmarked(run.scenario)
        wanted = cluster_rights.needed(run.scenario, self.spec)
        missing = [one for one in wanted if not self.cluster.may(one.verb, one.kind, one.namespace)]
        objections.refuse_unallowed(missing, self.place.kubectl)
        with (
            Journal(Path(run.folder)) as journal,
            stages.parts(run) as (stack, log),
            self.pod_target() as server,
        ):
            clock = PodsClock()
            on = BrokenDeployment(
                self.cluster, self.spec, self.place, server.address, self.hooks, journal, clock.now
            )
            with server.explained():
                on.info()
            pods = stack.enter_context(self._pods(run, on))
            clock.ahead = pods.ahead() if run.scenario.load else 0
            refuse = functools.partial(self.refuse_unmarked, run.scenario)
            guarded = marks.WhereMarked(fault(on, pods), refuse)
            yield ClusterStage(run, on, guarded, pods, log, clock, stack)

    def _pods(self, run: Run, on: BrokenDeployment) -> LoadPods:
        """Give the pods of load; those of a drill that crashes the server's node are elsewhere."""
        is_crash = isinstance(run.scenario.fault, NodeCrash)
        node = on.pod()["spec"].get("nodeName") if is_crash else None
        images = self._images() if run.scenario.load else {}
        return LoadPods(
            self.cluster, self.spec, images, on.journal, run.name[:NAME], away_from=node
        )

    def _images(self) -> Mapping[str, str]:
        """Give the image of each language that makes load."""
        told = self.hooks.images
        images = {"python": told.python or self.spec.tools.image or "", "node": told.node}
        return {language: image for language, image in images.items() if image}

    def _fault(self, run: Run, on: BrokenDeployment, pods: LoadPods) -> Fault:
        match run.scenario.fault:
            case PodDelete():
                return faults.PodDeleted(on)
            case Kill():
                return faults.ContainerKilled(on)
            case NodeCrash() as options:
                return faults.NodeCrashed(on, options, self.declare_off)
            case Partition() as options:
                return faults.PodPartitioned(on, options, pods)
            case MemoryFull() as options:
                return faults.MemoryFilled(on, options, run.prefix)
        raise TypeError(_unfit(run.scenario))


def _unfit(scenario: Scenario) -> str:
    """Say why a fault is not for clusters, whatever the target can do; empty: it is."""
    fault = scenario.fault
    if isinstance(fault, Kill) and fault.moment is not Moment.ANY:
        return f"kill at the moment {fault.moment.value}: {abilities.NEVER}"
    if not isinstance(fault, PodDelete | Kill | NodeCrash | Partition | MemoryFull):
        return f"{fault.__struct_config__.tag}: {abilities.NEVER}"
    return ""


@dataclass
class ClusterStage:
    """A fault, and pods that make load."""

    run: Run
    on: BrokenDeployment
    """The deployment that is broken."""
    fault: Fault
    pods: LoadPods
    log: LedgerLog
    """The drill's own part of the ledger's log."""
    clock: SystemClock
    """The pods'."""
    stack: ExitStack
    """Ends the load, when it is closed."""
    rest: float = 0.0
    queues: DrillQueues = field(init=False)

    def __post_init__(self) -> None:
        self.queues = DrillQueues(self.on.address, self.run.prefix, QUEUES)
        self._follower = LogFollower(Path(self.run.folder))

    def start_loads(self) -> Sequence[PodLoad]:
        """Start the load, which comes by the name that clients are given.

        Raises:
            DrillError: `drill.load_failed`.
            ClusterError: The application's password may not be read.
        """
        plans = self.run.load_plans(self._entry(), tuple(self.pods.writers))
        loads = (PodLoad(self.on.cluster, self.pods, plan) for plan in plans)
        return [self.stack.enter_context(load) for load in loads]

    def seen(self) -> Seen:
        """Count what the loads' logs tell until now."""
        return self._follower.seen()

    def undisturbed(self) -> AbstractContextManager[None]:
        """Let what is done in the context come to its end before a request to stop is heard."""
        return signals.deferred()

    def _entry(self) -> Address:
        """Give the address of the application's clients, and their password."""
        on, password = self.on, None
        if on.spec.access.password_secret is not None:
            password = entry.held(
                on.cluster, on.spec.access.password_secret, on.spec.namespace,
                metadata.PASSWORD_KEY, on.place.apply,
            )  # fmt: skip
        return Address(on.place.host, password=password)
