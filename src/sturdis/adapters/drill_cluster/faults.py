"""The faults that a drill injects into a deployment in a cluster, one class a kind."""

import time
from collections.abc import Callable, Sequence

from sturdis.adapters.drill.server import CLOCK
from sturdis.adapters.drill_cluster import undoing
from sturdis.adapters.drill_cluster.deployment import BrokenDeployment
from sturdis.adapters.drill_cluster.last_look import LastLook
from sturdis.adapters.drill_cluster.load_pods import LoadPods
from sturdis.adapters.faults.full_memory import FullMemory
from sturdis.core.cluster import NODE, Manifest, Ref
from sturdis.core.doctor import nodes
from sturdis.core.drill.events import Event, Killed, Served
from sturdis.core.drill.faults.cluster import NodeCrash
from sturdis.core.drill.faults.memory import MemoryFull
from sturdis.core.drill.faults.network import Partition
from sturdis.core.drill.observed import Figures
from sturdis.core.drill.run import QUEUES
from sturdis.core.drill.undo import SetPodConfiguration, TakeOffTaint
from sturdis.core.errors import DrillError
from sturdis.core.ports import REDIS_PORT

DEAD_SECONDS = 10.0
"""Longest wait, once the hook has ended, until the server's connections break."""

SIGKILLED = 128 + 9
"""The status that the kubelet tells of a container that SIGKILL has ended."""


class PodDeleted:
    """The server's pod is deleted; the server is asked to end, and its set makes the next pod."""

    def __init__(self, on: BrokenDeployment) -> None:
        self._on = on
        self._uid = ""
        self._took: list[float] = []
        self._began = 0.0

    def prepare(self) -> None:
        """Nothing is to be done."""

    def inject(self, _number: int) -> Sequence[Event]:
        """Delete the pod that is there now, and no other."""
        uid = self._on.pod()["metadata"]["uid"]
        self._began = time.monotonic()
        self._on.cluster.delete(self._on.place.pod, uid=uid)
        self._uid = uid
        return ()

    def undo(self, _number: int, seconds: float) -> Sequence[Event]:
        """Return when the next pod is ready."""
        if self._uid:
            self._on.wait_until_ready(lambda one: one["metadata"]["uid"] != self._uid, seconds)
            self._took.append(time.monotonic() - self._began)
            self._uid = ""
        return ()

    def figures(self) -> Figures:
        """Give how many pods were deleted, and how long the longest was away, in seconds."""
        return {"deleted": len(self._took), "longest_away": max(self._took, default=None)}


class ContainerKilled:
    """Process 1 of the server's container is ended with SIGKILL, from its node."""

    def __init__(self, on: BrokenDeployment) -> None:
        self._on = on
        self._container = ""
        self._kills = 0

    def prepare(self) -> None:
        """Nothing is to be done."""

    def inject(self, number: int) -> Sequence[Event]:
        """Look at its fsyncs until it is dead.

        Raises:
            DrillError: `drill.hook_failed`, also where the server lives on.
        """
        pod = self._on.pod()
        container = self._on.container(pod).get("containerID", "")
        with LastLook(self._on.address, self._on.now) as look:
            self._on.run(self._on.hooks.kill, self._on.server(pod))
            at, info = look.last(DEAD_SECONDS)
        self._container = container
        delayed, pending = info.get("aof_delayed_fsync"), info.get("aof_pending_bio_fsync")
        return (
            Killed(
                at, number, int(info.get("process_id", 0)),
                delayed_fsyncs=None if delayed is None else int(delayed),
                fsync_pending=None if pending is None else pending != "0",
            ),
        )  # fmt: skip

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Return when the pod is ready, with another container where it was killed."""
        pod = self._on.wait_until_ready(self._is_another, seconds)
        if not self._container:  # the hook failed: the same one may serve
            return ()
        last = (self._on.container(pod).get("lastState") or {}).get("terminated") or {}
        self._kills += last.get("exitCode") == SIGKILLED
        self._container = ""
        pid = int(self._on.info().get("process_id", 0))
        return (Served(self._on.now(), number, pid),)

    def _is_another(self, pod: Manifest) -> bool:
        return bool(self._on.container(pod).get("containerID") not in {None, self._container})

    def figures(self) -> Figures:
        """Give how often SIGKILL ended it: who is asked to end writes all that it has."""
        return {"kills": self._kills}


class NodeCrashed:
    """The node loses its power, is declared off by the word of the drill, and comes back.

    Args:
        on: The deployment.
        options: What the drill's file says.
        declare_off: Takes the word that a node is off; returns when the pod serves elsewhere.
    """

    def __init__(
        self, on: BrokenDeployment, options: NodeCrash, declare_off: Callable[[str], None]
    ) -> None:
        self._on = on
        self._options = options
        self._declare_off = declare_off
        self._node = ""
        self._steps: list[int] = []
        self._moved: list[float] = []
        self._returned = 0

    def prepare(self) -> None:
        """Nothing is to be done."""

    def inject(self, _number: int) -> Sequence[Event]:
        """Take the node's power, and return when the API server calls it silent.

        Raises:
            DrillError: `drill.hook_failed`, also where the node goes on reporting.
        """
        server = self._on.server(self._on.pod())
        note, hooks = self._on.journal.note, self._on.hooks
        # undone in the other order: first its power, then its taint
        self._steps = [note(TakeOffTaint(self._on.cluster.name, server.node))]
        self._node = server.node
        self._steps.append(self._on.run_undoable(hooks.node_crash, hooks.node_return, server))
        for one in self._on.cluster.watch(
            NODE, "", name=server.node, seconds=self._options.silent_within
        ):
            if nodes.is_silent(one):
                return ()
        raise _lives_on(f"node {server.node} goes on reporting")

    def undo(self, _number: int, seconds: float) -> Sequence[Event]:
        """Say that it is off, and give it its power back; the pod stays where it has gone."""
        if not self._node:
            return ()
        node, self._node = self._node, ""
        found = self._on.cluster.get(Ref(NODE, node))
        if found is not None and nodes.is_silent(found):
            began = time.monotonic()
            self._declare_off(node)
            self._moved.append(time.monotonic() - began)
        for step in reversed(self._steps):
            self._on.journal.undo(step)
        served = self._on.wait_until_ready(lambda _pod: True, seconds)
        undoing.wait_until_back(self._on.cluster, node, seconds)
        self._returned += served["spec"].get("nodeName") != node
        return ()

    def figures(self) -> Figures:
        """Give how often the pod moved and stayed, and the seconds from the word until it served.

        `returned` counts the nodes that came back and left the pod where it was.
        """
        return {
            "moved": len(self._moved),
            "longest_move": max(self._moved, default=None),
            "returned": self._returned,
        }


class MemoryFilled:
    """`maxmemory` is what is used already, until cleaning by BullMQ has made room.

    Args:
        on: The deployment.
        options: What the drill's file says.
        prefix: BullMQ's, of the drill's queues; no others are cleaned.
    """

    def __init__(self, on: BrokenDeployment, options: MemoryFull, prefix: str) -> None:
        self._on = on
        self._memory = FullMemory(on, options)
        self._queues = [(prefix, name) for name in QUEUES]
        self._step: int | None = None
        self._restarts = 0
        self._unmet = 0

    def prepare(self) -> None:
        """Count the restarts until now."""
        self._restarts = self._restarted()

    def inject(self, _number: int) -> Sequence[Event]:
        """Let no write through that needs memory, and return when one was refused."""
        on, limit = self._on, self._memory.limit()
        ref, secret = on.place.pod, on.spec.access.password_secret or ""
        self._step = on.journal.note(
            SetPodConfiguration(
                on.cluster.name, ref.namespace, ref.name, secret, "maxmemory", limit
            )
        )
        self._unmet += not self._memory.fill()
        return ()

    def undo(self, _number: int, seconds: float) -> Sequence[Event]:
        """Have BullMQ remove completed jobs, see that writes go on, and set the limit back."""
        if self._step is not None:
            self._memory.free(self._queues)
            self._memory.give_back()
            self._on.journal.undone(self._step)
            self._step = None
            self._on.wait_until_ready(lambda _pod: True, seconds)
        return ()

    def figures(self) -> Figures:
        """Give what was counted, and how often the server's container was started again."""
        restarts = self._restarted() - self._restarts
        return {**self._memory.figures(), "unmet": self._unmet, "restarts": restarts}

    def _restarted(self) -> int:
        return int(self._on.container(self._on.pod()).get("restartCount", 0))


class PodPartitioned:
    """All packets between the server's pod and others are dropped, by its node.

    Args:
        on: The deployment.
        options: What the drill's file says.
        pods: Of load; one of them tries to connect meanwhile.
    """

    def __init__(self, on: BrokenDeployment, options: Partition, pods: LoadPods) -> None:
        self._on = on
        self._options = options
        self._pods = pods
        self._step: int | None = None
        self._unmet = 0

    def prepare(self) -> None:
        """Nothing is to be done."""

    def inject(self, _number: int) -> Sequence[Event]:
        """Drop packets, for as long as the drill's file says.

        Raises:
            DrillError: `drill.hook_failed`; or `drill.load_failed`: the pod of load could not try.
            ClusterError: It cannot be asked to.
        """
        pod, hooks = self._on.pod(), self._on.hooks
        server = self._on.server(pod)
        self._step = self._on.run_undoable(hooks.partition, hooks.partition_end, server)
        over = time.monotonic() + self._options.seconds
        if self._pods.writers:
            half = self._options.seconds / 2
            self._unmet += self._pods.connects(pod["status"]["podIP"], REDIS_PORT, half)
        CLOCK.wait(max(0.0, over - time.monotonic()))
        return ()

    def undo(self, _number: int, seconds: float) -> Sequence[Event]:
        """Let them pass again, and return when the pod is ready."""
        if self._step is not None:
            self._on.journal.undo(self._step)
            self._step = None
            self._on.wait_until_ready(lambda _pod: True, seconds)
        return ()

    def figures(self) -> Figures:
        """Give how often a connection was taken all the same; without load nobody can tell."""
        return {"unmet": self._unmet if self._pods.writers else None}


def _lives_on(why: str) -> DrillError:
    return DrillError(
        "drill.hook_failed",
        "a hook ended well and did not do what it is for",
        why=why,
        do="docs/drills-cluster.md says what each has to do before it returns",
    )
