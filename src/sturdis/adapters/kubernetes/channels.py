"""Streams to a pod through the API server: a WebSocket, its messages begin with a channel's number.

exec and port-forward share the form, `v4.channel.k8s.io`. Each stream is used by one thread: a TLS
connection that one thread reads while another writes is not safe. docs/adr/0036.
"""

import base64
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import httpx2
from httpcore2 import NetworkStream
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, Message, Ping
from wsproto.utilities import LocalProtocolError

from sturdis.adapters.kubernetes import refusals, session
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core.cluster import Ref

PROTOCOL = "v4.channel.k8s.io"
"""How the streams are told apart; every API server since 1.4 speaks it."""

HANDSHAKE_SECONDS = 10.0
"""Longest wait for the API server, the kubelet behind it, and the first bytes."""

READ_BYTES = 1 << 16


@dataclass
class Stream:
    """The frames of one WebSocket, apart from the connection that carries them."""

    network: NetworkStream
    _frames: Connection
    _part: bytes = b""

    def packed(self, channel: int, data: bytes) -> bytes:
        """Give the frame that sends `data` on a channel."""
        return self._frames.send(BytesMessage(bytes((channel,)) + data))

    def farewell(self) -> bytes:
        """Give the frame that ends the stream; nothing when it has ended."""
        try:
            return self._frames.send(CloseConnection(code=1000))
        except LocalProtocolError:
            return b""

    def unpacked(self, data: bytes) -> tuple[list[tuple[int, bytes]], bytes, bool]:
        """Read what arrived.

        Returns:
            The messages, each with its channel; what to send back; whether the stream has ended.
        """
        messages, answer, ended = [], b"", not data
        self._frames.receive_data(data or None)
        for event in self._frames.events():
            if isinstance(event, Ping):
                answer += self._frames.send(event.response())
            elif isinstance(event, CloseConnection):
                ended = True
            elif isinstance(event, Message):
                self._part += event.data if isinstance(event.data, bytes) else event.data.encode()
                if event.message_finished and self._part:
                    messages.append((self._part[0], self._part[1:]))
                if event.message_finished:
                    self._part = b""
        return messages, answer, ended


@contextmanager
def opened(
    cluster: Cluster, pod: Ref, part: str, params: Sequence[tuple[str, str]]
) -> Iterator[Stream]:
    """Open a stream to a part of a pod, as `exec`; close it at the end of the block.

    Raises:
        ClusterError: The API server, or the kubelet behind it, does not open it.
    """
    where = f"pods/{part} of {pod.name}"
    try:
        with cluster.http.stream(
            "GET",
            f"{session.path(pod)}/{part}",
            params=list(params),
            headers=_handshake(),
            timeout=HANDSHAKE_SECONDS,
        ) as response:
            if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
                said = _said(response.read())
                raise refusals.refused(response.status_code, said, "get", where)
            yield Stream(response.extensions["network_stream"], Connection(ConnectionType.CLIENT))
    except httpx2.TransportError as error:
        raise refusals.unreachable(str(cluster.http.base_url), error) from error


def _handshake() -> dict[str, str]:
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": PROTOCOL,
    }


def _said(body: bytes) -> dict[str, object]:
    try:
        said = json.loads(body)
    except ValueError:
        return {"message": body.decode(errors="replace").strip()}
    return said if isinstance(said, dict) else {"message": str(said)}
