"""A log in a pod, brought here while it is written: who waits for jobs sees them as they come."""

import socket
import threading
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from sturdis.adapters.kubernetes import exec as executing
from sturdis.adapters.kubernetes import exec_stream
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.exec import STDOUT
from sturdis.core.cluster import Ref
from sturdis.core.errors import ClusterError

PAUSE_SECONDS = 0.5
"""From a connection that broke to the next."""

REST_SECONDS = 60.0
"""Longest wait for what was written since the last look."""


class FollowedLog(AbstractContextManager["FollowedLog"]):
    """The file `there` in a container, followed into the file `here` until the block ends.

    A connection that breaks is made anew, and goes on where it was.
    """

    def __init__(self, cluster: Cluster, pod: Ref, container: str, there: str, here: Path) -> None:
        self._cluster = cluster
        self._pod = pod
        self._container = container
        self._there = there
        self._here = here
        self._size = 0
        self._ours, self._end = socket.socketpair()
        self._ended = threading.Event()
        self._following = threading.Thread(target=self._follow, daemon=True)
        self._following.start()

    def finish(self) -> None:
        """Stop following, and bring what is left; call when nothing is written any more.

        Raises:
            ClusterError: It cannot be brought.
        """
        self._stop()
        command = ["tail", "-c", f"+{self._size + 1}", self._there]
        ran = executing.run(
            self._cluster, self._pod, self._container, command, seconds=REST_SECONDS
        )
        self._took(STDOUT, ran.out)

    def __exit__(self, *_error: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if not self._ended.is_set():
            self._ended.set()
            self._end.close()
            self._following.join()
            self._ours.close()

    def _follow(self) -> None:
        while not self._ended.is_set():
            command = ["tail", "-c", f"+{self._size + 1}", "-f", self._there]
            with suppress(ClusterError):
                exec_stream.carry(
                    self._cluster, self._pod, self._container, command,
                    given=self._ours.fileno(), wrote=self._took,
                )  # fmt: skip
            self._ended.wait(PAUSE_SECONDS)

    def _took(self, channel: int, data: bytes) -> None:
        if channel == STDOUT:
            with self._here.open("ab") as file:
                file.write(data)
            self._size += len(data)
