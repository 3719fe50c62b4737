"""A program in a container, its input and output carried while it runs, as `kubectl exec -i` does.

The protocol cannot end a program's input (docs/adr/0050): who needs an end sends a word for it.
"""

import functools
import os
import selectors
import ssl
from collections.abc import Callable, Sequence

import httpcore2

from sturdis.adapters.kubernetes import channels, refusals
from sturdis.adapters.kubernetes import exec as executing
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.channels import HANDSHAKE_SECONDS, READ_BYTES, Stream
from sturdis.adapters.kubernetes.exec import ENDING, NOT_KNOWN, STDERR, STDOUT
from sturdis.core.cluster import Ref

STDIN = 0
"""Channel of the program's input."""


def carry(
    cluster: Cluster,
    pod: Ref,
    container: str,
    command: Sequence[str],
    *,
    given: int,
    wrote: Callable[[int, bytes], None],
    last: bytes | None = None,
) -> int:
    """Run a program until it ends, or until `given` does, and give its exit status.

    Args:
        cluster: Where.
        pod: The pod.
        container: Its container, by name.
        command: The program and its arguments; no shell reads them.
        given: A file descriptor: what is read from it is the program's input.
        wrote: Called with `STDOUT` or `STDERR`, and what the program wrote there.
        last: Sent when `given` has ended; None: the stream is closed then, and the program left
            to itself: the status is not known.

    Raises:
        ClusterError: It is not allowed, the container does not run, or the connection broke.
    """
    asked = {"container": container, "stdin": "true", "stdout": "true", "stderr": "true"}
    params = [*(("command", word) for word in command), *asked.items()]
    with channels.opened(cluster, pod, "exec", params) as stream:
        carrying = _Carrying(stream, given, wrote, last)
        try:
            carrying.run()
        except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            raise refusals.lost(str(cluster.http.base_url), error) from error
    if carrying.left:
        return NOT_KNOWN
    because = functools.partial(executing.failed, cluster.name, pod, container)
    return executing.status(carrying.ending, because)


class _Carrying:
    """Carries both ways in one thread, until either side ends."""

    def __init__(
        self,
        stream: Stream,
        given: int,
        wrote: Callable[[int, bytes], None],
        last: bytes | None,
    ) -> None:
        self._stream = stream
        self._given = given
        self._wrote = wrote
        self._last = last
        self.ending = b""
        self.left = False
        """Whether the program was left to itself."""

    def run(self) -> None:
        remote = self._stream.network.get_extra_info("socket")
        ended = self._take()  # what came along with the handshake's answer is in no socket
        with selectors.DefaultSelector() as selector:
            selector.register(remote, selectors.EVENT_READ)
            selector.register(self._given, selectors.EVENT_READ)
            while not (ended or self.ending or self.left):
                for key, _events in selector.select():
                    if key.fileobj is remote:
                        ended = self._take() or self._take_rest(remote)
                    elif not self._hand_over():
                        selector.unregister(self._given)

    def _hand_over(self) -> bool:
        """Send what is given; False: it has ended."""
        data = os.read(self._given, READ_BYTES)
        if not data and self._last is None:
            self.left = True
            self._write(self._stream.farewell())
        elif data or self._last:
            self._write(self._stream.packed(STDIN, data or self._last or b""))
        return bool(data)

    def _take_rest(self, remote: object) -> bool:
        """Take what TLS holds already, which `select` does not see; True: the stream has ended."""
        while isinstance(remote, ssl.SSLSocket) and remote.pending():
            if self._take():
                return True
        return False

    def _take(self) -> bool:
        """Take what has arrived; True: the stream has ended."""
        arrived = self._stream.network.read(READ_BYTES, timeout=HANDSHAKE_SECONDS)
        messages, answer, ended = self._stream.unpacked(arrived)
        if answer:
            self._write(answer)
        for channel, data in messages:
            if channel == ENDING:
                self.ending += data
            elif channel in {STDOUT, STDERR} and data:
                self._wrote(channel, data)
        return ended

    def _write(self, frame: bytes) -> None:
        self._stream.network.write(frame, timeout=HANDSHAKE_SECONDS)
