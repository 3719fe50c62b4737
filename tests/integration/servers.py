"""Real servers to kill and to fail over, and a proxy that moves between them as a Service does."""

import contextlib
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sturdis.adapters.local import binaries, ports, probe
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.replies import Reply

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.01


def wait_until(
    holds: Callable[[], bool], what: str, *, seconds: float = 10.0, every: float = POLL_SECONDS
) -> None:
    """Return as soon as `holds()` is true; for what tells nobody when it comes, and is asked again.

    Raises:
        AssertionError: It was not within `seconds`; `what` names it.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(every)


@dataclass(frozen=True)
class Server:
    """A server of its own, without Sturdis."""

    port: int
    process: subprocess.Popen[bytes]

    def call(self, *words: str | bytes | int) -> Reply:
        """Send one command and give its reply."""
        with Link(Address(LOOPBACK, self.port)) as link:
            return link.call(*words)

    def info(self, section: str) -> dict[str, str]:
        """Give one section of INFO."""
        text = self.call("INFO", section)
        assert isinstance(text, bytes)
        lines = (line.partition(":") for line in text.decode().splitlines())
        return {name: value for name, colon, value in lines if colon}

    def kill(self) -> None:
        """End it as `kill -9` does, and return when it is gone."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def start_server(
    folder: Path,
    *settings: str,
    port: int = 0,
    ready: str = "+PONG",
    server: str | None = None,
    before: Sequence[str] = (),
) -> Iterator[Server]:
    """Run a server on `folder`, by default without persistence, until the block ends.

    Args:
        folder: Where it keeps its data; made when it is missing.
        settings: More options of the server, such as `--appendonly yes`.
        port: Where it listens; 0: a free one.
        ready: How the reply to PING begins that ends the start; "": any does.
        server: The path of its program, one of `running.SERVERS`; None: the embedded one.
        before: What starts it: a command that its own command line is put behind.
    """
    path = server or binaries.find_embedded()
    assert path is not None
    folder.mkdir(exist_ok=True)
    port = ports.claim(port, option="port")
    where = ("--bind", LOOPBACK, "--port", str(port), "--dir", str(folder))
    command = [*before, path, *where, "--save", "", "--appendonly", "no", *settings]
    with (
        (folder / "server.log").open("ab") as log,
        subprocess.Popen(command, stdout=log) as process,
    ):
        try:
            wait_until(lambda: answers(port, process, ready), f"{ready} on port {port}")
            yield Server(port, process)
        finally:
            process.kill()


def answers(port: int, process: subprocess.Popen[Any], ready: str) -> bool:
    assert process.poll() is None, "the server ended; see server.log"
    try:
        return probe.ask(LOOPBACK, port).startswith(ready)
    except OSError:
        return False


class TcpProxy(socketserver.ThreadingTCPServer):
    """Forwards each new connection to `target`; those that stand are left where they are."""

    daemon_threads = True

    def __init__(self, target: int) -> None:
        super().__init__((LOOPBACK, 0), _Forwarder)
        self.target = target
        self.port = int(self.server_address[1])
        self._serving = threading.Thread(target=self.serve_forever, args=(POLL_SECONDS,))

    def asks(self, _sent: bytes) -> None:
        """See what a client sends, before the server does."""

    def answers(self, _sent: bytes) -> None:
        """See what the server sends, before the client does."""

    def __enter__(self) -> Self:
        self._serving.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.shutdown()
        self._serving.join()
        self.server_close()


class _Forwarder(socketserver.BaseRequestHandler):
    server: TcpProxy

    def handle(self) -> None:
        # A server that is down refuses; the client sees its connection end.
        with contextlib.suppress(OSError), socket.create_connection(self._target()) as target:
            answers = (target, self.request, self.server.answers)
            back = threading.Thread(target=_copy, args=answers, daemon=True)
            back.start()
            _copy(self.request, target, self.server.asks)
            back.join()

    def _target(self) -> tuple[str, int]:
        return LOOPBACK, self.server.target


def _copy(source: socket.socket, sink: socket.socket, seen: Callable[[bytes], None]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            seen(data)
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
