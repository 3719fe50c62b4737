"""A proxy between a server and its clients: it delays, swallows replies, and cuts connections.

One thread of this program forwards for all connections, and ends with it.
"""

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager

from sturdis.adapters.local.ports import LOOPBACK
from sturdis.core.errors import DrillError

PART = 1 << 16
"""Bytes read at once."""

ALIVE_SECONDS = 0.1
"""How often is looked whether the thread that forwards still lives."""

MOST_WAITING = 4 << 20
"""Bytes that wait in one direction before no more are read: the sender is held up then."""


class Proxy(AbstractContextManager["Proxy"]):
    """Listens on a free port of loopback and forwards to `port` there, until the context ends.

    A server that is down refuses: the client sees its connection end.

    Args:
        port: Where the server listens.
        delay: Seconds that all that is sent takes longer, each way.
    """

    def __init__(self, port: int, delay: float = 0.0) -> None:
        self.swallowed = 0
        """Bytes of replies that no client was given."""
        self.cut_off = 0
        """Connections that were cut."""
        self.delay = delay
        self._target = port
        self._listener = socket.create_server((LOOPBACK, 0), backlog=512)
        self._listener.settimeout(0)
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        for source in (self._listener, self._woken):
            self._selector.register(source, selectors.EVENT_READ)
        self._asked: deque[Callable[[], None]] = deque()
        self._connections: list[_Connection] = []
        self._swallowing = False
        self._ending = False
        self._forwarding = threading.Thread(target=self._forward, daemon=True)
        self._forwarding.start()

    @property
    def port(self) -> int:
        """Where clients connect."""
        return int(self._listener.getsockname()[1])

    def swallow(self) -> None:
        """Give no client any reply from now on; what clients ask still reaches the server.

        Raises:
            DrillError: `drill.not_served`: the proxy has failed; so does `cut`.
        """
        self._do(lambda: self._set_swallowing(on=True))

    def cut(self) -> None:
        """Reset all connections; those that are made from now on get their replies."""
        self._do(self._cut)

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Cut all connections, and listen no more."""
        with contextlib.suppress(DrillError):
            self._do(self._end)
        self._forwarding.join()
        self._cut()  # what a thread that failed left
        for one in (self._listener, self._wake, self._woken):
            one.close()
        self._selector.close()

    def _do(self, what: Callable[[], None]) -> None:
        """Have the thread that forwards do it, and return when it is done.

        Raises:
            DrillError: `drill.not_served`: that thread has failed; all connections hang.
        """
        done = threading.Event()

        def asked() -> None:
            what()
            done.set()

        self._asked.append(asked)
        self._wake.send(b"!")
        while not done.wait(ALIVE_SECONDS):
            if not self._forwarding.is_alive():
                raise _failed()

    def _set_swallowing(self, *, on: bool) -> None:
        self._swallowing = on

    def _cut(self) -> None:
        self.cut_off += len(self._connections)
        for connection in self._connections:
            self._drop(connection)
        self._connections.clear()
        self._swallowing = False

    def _end(self) -> None:
        self._cut()
        self._ending = True

    def _forward(self) -> None:
        while not self._ending:
            now = time.monotonic()
            waits = [connection.next_due(now) for connection in self._connections]
            self._selector.select(min((one for one in waits if one is not None), default=None))
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(PART, socket.MSG_DONTWAIT)
            while self._asked:
                self._asked.popleft()()
            if not self._ending:
                self._accept()
                self._move()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                server = socket.socket()
                for one in (client, server):
                    one.settimeout(0)
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server.connect_ex((LOOPBACK, self._target))
                self._connections.append(_Connection(client, server))
                for one in (client, server):
                    self._selector.register(one, selectors.EVENT_READ)

    def _move(self) -> None:
        now = time.monotonic()
        for connection in list(self._connections):
            try:
                connection.asks.move(now, self.delay)
                self.swallowed += connection.replies.move(
                    now, self.delay, swallowing=self._swallowing
                )
                over = connection.over
            except OSError:
                over = True
            if over:
                self._connections.remove(connection)
                self._drop(connection)
            else:
                self._listen(connection)

    def _listen(self, connection: "_Connection") -> None:
        """Wake up for what can be read, and for what can be written when something waits."""
        now, asks, replies = time.monotonic(), connection.asks, connection.replies
        for way, back in ((asks, replies), (replies, asks)):
            events = selectors.EVENT_READ * way.wants_more
            events |= selectors.EVENT_WRITE * back.is_due(now)
            key = self._selector.get_map().get(way.source)
            if key is None and events:
                self._selector.register(way.source, events)
            elif key is not None and not events:
                self._selector.unregister(way.source)
            elif key is not None and key.events != events:
                self._selector.modify(way.source, events)

    def _drop(self, connection: "_Connection") -> None:
        for one in (connection.asks.source, connection.replies.source):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(one)
            with contextlib.suppress(OSError):  # a reset: what waits in the kernel goes with it
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            one.close()


def _failed() -> DrillError:
    return DrillError(
        "drill.not_served",
        "the proxy between server and clients has failed",
        why="its thread ended; what it ended with is above",
        do="report it with that text: it is a defect of Sturdis",
    )


class _Way:
    """One direction of a connection, and what waits to be sent on in it."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self._sink = sink
        self._waiting: deque[tuple[float, bytes]] = deque()
        """When each part is due, and its bytes."""
        self._size = 0
        self._ended = False
        self.closed = False

    @property
    def wants_more(self) -> bool:
        """Whether its source is read."""
        return not self._ended and self._size < MOST_WAITING

    def is_due(self, now: float) -> bool:
        """Tell whether something is to be sent on."""
        return bool(self._waiting) and self._waiting[0][0] <= now

    def due_in(self, now: float) -> float | None:
        """Give the seconds until something more is due; None: nothing is waited for."""
        return self._waiting[0][0] - now if self._waiting and not self.is_due(now) else None

    def move(self, now: float, delay: float, *, swallowing: bool = False) -> int:
        """Read what there is, send what is due, and give the bytes that were swallowed.

        Raises:
            OSError: One of both sides is gone.
        """
        swallowed = self._read(now + delay, swallowing=swallowing)
        with contextlib.suppress(BlockingIOError):
            while self.is_due(now):
                due, part = self._waiting[0]
                sent = self._sink.send(part)
                self._size -= sent
                if sent == len(part):
                    self._waiting.popleft()
                else:
                    self._waiting[0] = due, part[sent:]
        if self._ended and not self._waiting and not self.closed:
            self._sink.shutdown(socket.SHUT_WR)
            self.closed = True
        return swallowed

    def _read(self, due: float, *, swallowing: bool) -> int:
        if not self.wants_more:
            return 0
        try:
            part = self.source.recv(PART)
        except BlockingIOError:
            return 0
        if not part:
            self._ended = True
        elif swallowing:
            return len(part)
        else:
            self._waiting.append((due, part))
            self._size += len(part)
        return 0


class _Connection:
    """A client's connection, and the one to the server that was made for it."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.asks = _Way(client, server)
        self.replies = _Way(server, client)

    @property
    def over(self) -> bool:
        """Whether both sides have ended."""
        return self.asks.closed and self.replies.closed

    def next_due(self, now: float) -> float | None:
        """Give the seconds until something waits no longer; None: nothing waits."""
        waits = [way.due_in(now) for way in (self.asks, self.replies)]
        return min((one for one in waits if one is not None), default=None)
