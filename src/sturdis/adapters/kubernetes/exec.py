"""Running a program in a container that runs."""

import functools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpcore2

from sturdis.adapters.kubernetes import channels, refusals
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core import cluster_aim
from sturdis.core.cluster import Ref
from sturdis.core.errors import ClusterError

STDOUT, STDERR, ENDING = 1, 2, 3
"""Channels: what the program writes, and how it ended."""

MOST_BYTES = 16 << 20
"""Longest output that is kept."""

NOT_KNOWN = -1
"""The status of a program of which only the failure is told."""


@dataclass(frozen=True)
class Ran:
    """A program that ended, and what it wrote."""

    status: int
    out: bytes
    err: bytes


def run(
    cluster: Cluster, pod: Ref, container: str, command: Sequence[str], *, seconds: float
) -> Ran:
    """Run a program without input, and give what it wrote.

    Args:
        cluster: Where.
        pod: The pod.
        container: Its container, by name.
        command: The program and its arguments; no shell reads them.
        seconds: Longest run; one that takes longer is left behind.

    Raises:
        ClusterError: It is not allowed, the container does not run, or the end does not come.
    """
    params = [("command", word) for word in command]
    params += [("container", container), ("stdout", "true"), ("stderr", "true")]
    written = {STDOUT: b"", STDERR: b"", ENDING: b""}
    because = functools.partial(failed, cluster.name, pod, container)
    deadline = time.monotonic() + seconds
    with channels.opened(cluster, pod, "exec", params) as stream:
        ended = False
        while not ended and not written[ENDING]:
            try:
                left = max(0.001, deadline - time.monotonic())
                arrived = stream.network.read(channels.READ_BYTES, timeout=left)
                messages, answer, ended = stream.unpacked(arrived)
                stream.network.write(answer, timeout=left)
            except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
                raise refusals.lost(str(cluster.http.base_url), error) from error
            for channel, data in messages:
                written[channel] = written.get(channel, b"") + data
            if sum(map(len, written.values())) > MOST_BYTES:
                raise because(f"it wrote more than {MOST_BYTES >> 20} MiB")
    return Ran(status(written[ENDING], because), written[STDOUT], written[STDERR])


def status(told: bytes, because: Callable[[str], ClusterError]) -> int:
    """Read how a program ended.

    Args:
        told: What came on the channel `ENDING`.
        because: Makes the error for a reason.

    Raises:
        ClusterError: `cluster.refused`: it did not end, or did not start.
    """
    if not told:
        raise because("the stream ended before the program did")
    ended = json.loads(told)
    if ended.get("status") == "Success":
        return 0
    if ended.get("reason") != "NonZeroExitCode":
        raise because(str(ended.get("message", "")).strip())
    causes = (ended.get("details") or {}).get("causes") or ()
    codes = (one.get("message", "") for one in causes if one.get("reason") == "ExitCode")
    return next((int(code) for code in codes if code.isdecimal()), NOT_KNOWN)


def failed(context: str | None, pod: Ref, container: str, why: str) -> ClusterError:
    """Say that a program could not be run in a container."""
    kubectl = cluster_aim.kubectl(context, pod.namespace)
    return ClusterError(
        "cluster.refused",
        f"a program could not be run in container {container} of {pod.name}",
        why=why,
        do=f"{kubectl} exec {pod.name} -c {container} -- true    tries the same",
    )
