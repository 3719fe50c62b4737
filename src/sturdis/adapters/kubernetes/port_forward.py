"""A pod's port on this machine: a socket that only this user can open, forwarded to the pod.

Each connection is a stream of its own to the pod that has the name at that moment, so that a pod
that is replaced is found again. docs/adr/0036.
"""

import selectors
import shutil
import socket
import ssl
import tempfile
import threading
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import httpcore2

from sturdis.adapters.kubernetes import channels
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.channels import HANDSHAKE_SECONDS, READ_BYTES, Stream
from sturdis.core import cluster_aim
from sturdis.core.cluster import Ref
from sturdis.core.errors import ClusterError, MachineError
from sturdis.core.units import shortened

DATA, ERRORS = 0, 1
"""Channels of a forwarded port. The first message of each is the port's number, in two bytes."""

PORT_BYTES = 2

SOCKET = "redis"
"""The socket's name in its folder."""

SHORT = "/tmp"  # noqa: S108  the folder made in it is ours alone
"""Where a socket is made if the usual folder's path is too long for one."""

CLOSE_SECONDS = 1.0
"""Longest wait for a connection to end when all end."""

MOST_TOLD = 200
"""Characters of a kubelet's words that are repeated."""

BACKLOG = 1 << 20
"""Bytes that may wait to be sent in one direction before no more are read for it."""


class PortForward(AbstractContextManager["PortForward"]):
    """Listens at `path` from construction until the block ends.

    Args:
        cluster: Where the pod is.
        pod: The pod, by name.
        port: Its port.

    Raises:
        MachineError: `machine.socket`.
    """

    def __init__(self, cluster: Cluster, pod: Ref, port: int) -> None:
        self._cluster = cluster
        self._pod = pod
        self._port = port
        self._listener, self._folder = _listening()
        self.path = str(Path(self._folder) / SOCKET)
        self.refusal: ClusterError | None = None
        """Why the last connection was not forwarded; None: it was."""
        self._end, self._ended = socket.socketpair()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._thread = threading.Thread(target=self._accept, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the system gives no thread: nothing is left behind
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def try_once(self) -> None:
        """Open a stream to the pod and close it again; whether anything listens is not seen.

        Raises:
            ClusterError: It is not allowed, or there is no such pod that runs.
        """
        with self._stream():
            pass

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End every connection, and stop listening."""
        self._end.close()
        self._thread.join()
        for local, thread in list(self._open.items()):
            with suppress(OSError):
                local.shutdown(socket.SHUT_RDWR)
            thread.join(CLOSE_SECONDS)
        self._listener.close()
        self._ended.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._ended, selectors.EVENT_READ)
            while all(key.fileobj is self._listener for key, _events in selector.select()):
                local, _address = self._listener.accept()
                thread = threading.Thread(target=self._forward, args=(local,), daemon=True)
                self._open[local] = thread
                thread.start()

    def _forward(self, local: socket.socket) -> None:
        try:
            with self._stream() as stream:
                told = _twice_secured(stream) or _Pump(stream, local).run()
            self.refusal = self._not_forwarded(told) if told else None
        except ClusterError as error:
            self.refusal = error
        finally:
            local.close()  # only now: who reads the end finds the reason
            self._open.pop(local, None)

    def _stream(self) -> AbstractContextManager[Stream]:
        ports = [("ports", str(self._port))]
        return channels.opened(self._cluster, self._pod, "portforward", ports)

    def _not_forwarded(self, told: str) -> ClusterError:
        kubectl = cluster_aim.kubectl(self._cluster.name, self._pod.namespace)
        return ClusterError(
            "cluster.refused",
            f"port {self._port} of {self._pod.name} is not reached",
            why=_in_short(told),
            do=f"{kubectl} describe pod {self._pod.name}",
        )


def _listening() -> tuple[socket.socket, str]:
    """Listen in a new folder; give the socket, and the folder.

    A socket's path has about 100 bytes: where that of TMPDIR is longer, /tmp is taken.

    Raises:
        MachineError: `machine.socket`.
    """
    reasons = []
    for parent in (None, SHORT):
        folder = ""
        listener = socket.socket(socket.AF_UNIX)
        try:
            folder = tempfile.mkdtemp(prefix="sturdis-", dir=parent)  # 0700: nobody else gets in
            listener.bind(str(Path(folder) / SOCKET))
            listener.listen()
        except OSError as error:
            listener.close()
            shutil.rmtree(folder, ignore_errors=True)
            reasons.append(f"{parent or 'TMPDIR'}: {error.strerror or error}")
        else:
            return listener, folder
    raise MachineError(
        "machine.socket",
        "no socket could be made for the port of the pod",
        why="; ".join(reasons),
        do="TMPDIR=DIR sturdis …    takes a folder of yours with a short path",
    )


def _in_short(told: str) -> str:
    """Say what a kubelet told, which names network namespaces and every address that it tried."""
    if "connection refused" in told:
        return "nothing in the pod listens there"
    return shortened(told, MOST_TOLD)


def _twice_secured(stream: Stream) -> str:
    """Say so where TLS runs within TLS, as through a proxy over TLS: its socket tells nothing."""
    is_secured = stream.network.get_extra_info("ssl_object") is not None
    if not is_secured or isinstance(stream.network.get_extra_info("socket"), ssl.SSLSocket):
        return ""
    return "the way to the API server leads through a proxy over TLS, which carries no ports"


class _Pump:
    """Carries bytes both ways between a stream and a local socket, in one thread."""

    def __init__(self, stream: Stream, local: socket.socket) -> None:
        self._stream = stream
        self._local = local
        self._remote: socket.socket = stream.network.get_extra_info("socket")
        self._to_pod = bytearray()
        self._to_local = bytearray()
        self._skip = {DATA: PORT_BYTES, ERRORS: PORT_BYTES}
        self._told = b""
        self._over = False

    def run(self) -> str:
        """Carry until either side ends; give what the kubelet says went wrong."""
        with suppress(OSError, httpcore2.NetworkError, httpcore2.TimeoutException):
            # what came along with the answer to the handshake is known to the stream alone
            self._take(self._stream.network.read(READ_BYTES, timeout=HANDSHAKE_SECONDS))
            self._local.settimeout(0)  # what is not there yet is waited for below
            self._remote.settimeout(0)
            with selectors.DefaultSelector() as selector:
                while not self._over or self._to_local:
                    self._step(selector)
            self._to_pod += self._stream.farewell()
            self._send_remote()
        return self._told.decode(errors="replace").strip()

    def _step(self, selector: selectors.BaseSelector) -> None:
        more = not self._over  # then only what arrived is still handed on
        reads, writes = more and len(self._to_pod) < BACKLOG, bool(self._to_local)
        _want(selector, self._local, read=reads, write=writes)
        reads, writes = more and len(self._to_local) < BACKLOG, more and bool(self._to_pod)
        _want(selector, self._remote, read=reads, write=writes)
        ready = {key.fileobj: events for key, events in selector.select()}
        if ready.get(self._local, 0) & selectors.EVENT_WRITE:
            del self._to_local[: self._local.send(self._to_local)]
        if ready.get(self._local, 0) & selectors.EVENT_READ:
            self._read_local()
        if not self._over:
            self._read_remote()  # in any case: TLS may hold what select does not see
            self._send_remote()

    def _read_local(self) -> None:
        if data := self._local.recv(READ_BYTES):
            self._to_pod += self._stream.packed(DATA, data)
        else:
            self._over = True
            self._to_local.clear()

    def _read_remote(self) -> None:
        while len(self._to_local) < BACKLOG and not self._over:
            try:
                data = self._remote.recv(READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            self._take(data)

    def _send_remote(self) -> None:
        while self._to_pod:
            try:
                del self._to_pod[: self._remote.send(self._to_pod)]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return

    def _take(self, data: bytes) -> None:
        messages, answer, ended = self._stream.unpacked(data)
        self._to_pod += answer
        self._over |= ended
        for channel, whole in messages:
            skipped = self._skip.get(channel, 0)
            self._skip[channel] = max(0, skipped - len(whole))
            if channel == DATA:
                self._to_local += whole[skipped:]
            elif channel == ERRORS:
                self._told += whole[skipped:]
                self._over |= bool(self._told)


def _want(selector: selectors.BaseSelector, of: socket.socket, *, read: bool, write: bool) -> None:
    """Wait for what is wanted of a socket; for nothing, not even its end, where nothing is."""
    events = (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)
    known = of in selector.get_map()
    if known and events:
        selector.modify(of, events)
    elif known:
        selector.unregister(of)
    elif events:
        selector.register(of, events)
