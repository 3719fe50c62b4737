"""The deployment that a drill breaks, in its cluster."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.kubernetes import entry
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.redis.link import Link
from sturdis.core import info as infos
from sturdis.core.address import Address
from sturdis.core.cluster import POD, Manifest, is_ready
from sturdis.core.cluster_place import Place
from sturdis.core.cluster_troubles import container_statuses
from sturdis.core.drill import hooks
from sturdis.core.drill.hooks import Command, Server
from sturdis.core.drill.undo import RunCommand
from sturdis.core.errors import DrillError
from sturdis.core.replies import Reply, text
from sturdis.core.spec import Spec

COMMAND_SECONDS = 180.0
"""Longest run of a hook: a machine takes a while until it is off, or on."""


@dataclass(frozen=True)
class BrokenDeployment:
    """The deployment, the way to its server, and the hands on its node."""

    cluster: Cluster
    spec: Spec
    place: Place
    address: Address
    """The server's, through a forwarded port, as the user sturdis."""
    hooks: hooks.Hooks
    journal: Journal
    now: Callable[[], int]
    """The clock of the ledger, in milliseconds since 1970."""

    def pod(self) -> Manifest:
        """Give the pod as it is.

        Raises:
            ClusterError: `cluster.no_pod`, or it may not be read.
        """
        return entry.find_pod(self.cluster, self.place)

    def container(self, pod: Manifest) -> Manifest:
        """Give what the kubelet tells of the server's container; empty: nothing yet."""
        told = container_statuses(pod)
        return next((one for one in told if one["name"] == self.place.container), {})

    def server(self, pod: Manifest) -> Server:
        """Say where the server is, for the hooks."""
        meta, container = pod["metadata"], self.container(pod).get("containerID", "")
        return Server(
            node=pod["spec"].get("nodeName", ""),
            namespace=meta["namespace"],
            pod=meta["name"],
            pod_uid=meta["uid"],
            container_id=container.rpartition("/")[2],
        )

    def call(self, *words: str | bytes | int) -> Reply:
        """Send the server one command and give its reply.

        Raises:
            TargetError: It does not answer.
            AccessError: It does not let us in.
        """
        with Link(self.address) as link:
            return link.call(*words)

    def info(self) -> dict[str, str]:
        """Ask the server for all that INFO tells.

        Raises:
            TargetError: It does not answer.
            AccessError: It does not let us in.
        """
        return infos.parse(text(self.call("INFO")))

    def run(self, command: Command, server: Server) -> None:
        """Run a hook.

        Raises:
            DrillError: `drill.hook_failed`.
        """
        words = hooks.about(command, server)
        try:
            ended = subprocess.run(
                words, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _failed(words, str(error)) from error
        if ended.returncode:
            told = ended.stderr.strip() or f"it ended with status {ended.returncode}"
            raise _failed(words, told)

    def run_undoable(self, breaks: Command, mends: Command, server: Server) -> int:
        """Run a hook whose counterpart is in the journal before; give its number there.

        Raises:
            DrillError: `drill.hook_failed`; or `drill.log_lost`, and it was not run.
        """
        number = self.journal.note(RunCommand(hooks.about(mends, server)))
        self.run(breaks, server)
        return number

    def wait_until_ready(self, is_another: Callable[[Manifest], bool], seconds: float) -> Manifest:
        """Return when the pod is ready and `is_another` holds, and give it.

        Raises:
            DrillError: `drill.not_served`: it was not within `seconds`.
            ClusterError: It may not be watched.
        """
        ref, until = self.place.pod, time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for one in self.cluster.watch(POD, ref.namespace, name=ref.name, seconds=left):
                ending = "deletionTimestamp" in one["metadata"]
                if is_ready(one) and not ending and is_another(one):
                    return one
        raise DrillError(
            "drill.not_served",
            f"{ref} did not serve within {seconds:.0f} s",
            why="it, or its server, was to be another one than before the fault, and Ready",
            do=f"{self.place.kubectl} describe pod {ref.name}    says what it waits for",
        )


def _failed(words: Command, why: str) -> DrillError:
    return DrillError(
        "drill.hook_failed",
        f"the hook {words[0]} failed",
        why=why,
        do=f"run it by hand: {' '.join(words)}",
    )
