"""PING over a bare socket, judged by the reply: what a probe of a starting server needs.

A Redis client library would take longer to import than the server takes to start.
"""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

INTERVAL = 0.01
"""Seconds between two tries while a server starts: a server needs about 30 ms."""

REPLY_SECONDS = 1.0
"""Longest wait for one reply."""


LONGEST_REPLY = 1024
"""Most bytes of a reply's first line that are read; no error line is longer."""


def ask(host: str, port: int, *, seconds: float = REPLY_SECONDS) -> str:
    """Send PING and give the reply's first line, such as `+PONG` or `-LOADING …`.

    Raises:
        OSError: Nothing answers there.
    """
    with socket.create_connection((host, port), timeout=seconds) as link:
        link.sendall(b"PING\r\n")
        return _line(link)


def runs_with(host: str, port: int, conf: Path) -> bool:
    """Tell whether the server that answers there was started with the file `conf`.

    Another one may have taken the port in the moment between claiming it and starting.

    Raises:
        OSError: Nothing answers there.
    """
    with socket.create_connection((host, port), timeout=REPLY_SECONDS) as link:
        link.sendall(b"INFO server\r\nPING\r\n")
        text = b""
        while not text.endswith(b"+PONG\r\n"):
            received = link.recv(65536)
            if not received:
                break
            text += received
    return f"config_file:{conf}\r\n".encode(errors="surrogateescape") in text


def until_pong(
    host: str, port: int, conf: Path, emit: Callable[[str], None], stop: threading.Event
) -> None:
    """Ask until the server of `conf` answers PONG or `stop` is set; every new reply is emitted."""
    last = ""
    while not stop.wait(INTERVAL):
        try:
            reply = ask(host, port)
            if reply == "+PONG" and not runs_with(host, port, conf):
                continue
        except OSError:
            continue
        if reply != last:
            emit(reply)
            last = reply
        if reply == "+PONG":
            return


def _line(link: socket.socket) -> str:
    text = b""
    while not text.endswith(b"\n") and len(text) < LONGEST_REPLY:
        received = link.recv(1024)
        if not received:
            break
        text += received
    return text.decode(errors="replace").rstrip("\r\n")
