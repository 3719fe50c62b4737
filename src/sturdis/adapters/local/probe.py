"""PING over a bare socket, judged by the reply: what a probe of a server needs.

A Redis client library would take longer to import than the server takes to start.
"""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Self

from sturdis.core import info as infos
from sturdis.core.supervision import replies
from sturdis.core.supervision.events import Loaded, Replied, Unanswered

INTERVAL = 0.01
"""Seconds between two tries while a server starts: a server needs about 30 ms."""

LONGEST_INTERVAL = 0.1
"""What that grows to while a server loads much."""

REPLY_SECONDS = 1.0
"""Longest wait for one reply while a server starts."""

LONGEST_REPLY = 1024
"""Most bytes of a reply's first line that are read; no error line is longer."""

Emit = Callable[[Replied | Unanswered | Loaded], None]


@dataclass(frozen=True)
class Place:
    """Where a server is probed: its address, its redis.conf, and its password, if it has one."""

    host: str
    port: int
    conf: Path
    password: str | None = field(default=None, repr=False)


class _Conversation:
    """A connection and what is read from it."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self._socket = socket.create_connection((host, port), timeout=seconds)
        self._read: BinaryIO = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._read.close()
        self._socket.close()

    def reply(self, command: bytes) -> str:
        self._socket.sendall(command)
        line = self._read.readline(LONGEST_REPLY).decode(errors="replace").rstrip("\r\n")
        if not line:
            raise ConnectionError("the connection was closed instead of a reply")
        if not line.startswith("$"):
            return line
        return self._read.read(int(line[1:]) + 2).decode(errors="replace")


def ask(host: str, port: int, *, seconds: float = REPLY_SECONDS) -> str:
    """Send PING and give the reply's first line, such as `+PONG` or `-LOADING …`.

    Raises:
        OSError: Nothing answers there.
    """
    with _Conversation(host, port, seconds) as said:
        return said.reply(b"PING\r\n")


def ping(place: Place, *, seconds: float) -> str:
    """Send PING as one who knows the password; as `ask` else."""
    with _Conversation(place.host, place.port, seconds) as said:
        _log_in(said, place)
        return said.reply(b"PING\r\n")


def server_info(place: Place) -> dict[str, str]:
    """Give the fields of the server's INFO sections `server` and `persistence`.

    Raises:
        OSError: Nothing answers there.
    """
    with _Conversation(place.host, place.port, REPLY_SECONDS) as said:
        _log_in(said, place)
        text = said.reply(b"INFO server\r\n") + "\n" + said.reply(b"INFO persistence\r\n")
        return infos.parse(text)


def runs_with(info: dict[str, str], conf: Path) -> bool:
    """Tell whether the server that gave `info` was started with the file `conf`.

    Another one may have taken the port in the moment between claiming it and starting.
    """
    shown = str(conf).encode(errors="surrogateescape").decode(errors="replace")
    return info.get("config_file") == shown


def watch(place: Place, life: int, every: float, emit: Emit, stop: threading.Event) -> None:
    """Probe the server in its `life`th life until `stop` is set.

    Until it is ready often, and then every `every` seconds, with as long for a reply: a wait for a
    reply counts, so that probes without one follow each other as closely as others.
    """
    pause = INTERVAL
    while not (ready := _look(place, life, emit)) and not stop.wait(pause):
        pause = min(pause * 1.1, LONGEST_INTERVAL)
    pause = every
    while ready and not stop.wait(pause):
        began = time.monotonic()
        try:
            emit(Replied(life, ping(place, seconds=every)))
        except OSError:
            emit(Unanswered(life))
        pause = max(0.0, every - (time.monotonic() - began))


def _look(place: Place, life: int, emit: Emit) -> bool:
    """Look once at a server that starts, and tell whether it is ready."""
    try:
        reply = ping(place, seconds=REPLY_SECONDS)
        if not reply.startswith((*replies.READY, replies.LOADING)):
            emit(Replied(life, reply))
            return False
        info = server_info(place)
    except (OSError, ValueError):
        return False
    if not runs_with(info, place.conf):
        return False
    if total := int(info.get("loading_total_bytes", 0)):
        emit(Loaded(life, int(info.get("loading_loaded_bytes", 0)), total))
    emit(Replied(life, reply))
    return replies.ready(reply)


def _log_in(said: _Conversation, place: Place) -> None:
    if place.password is not None:
        words = (b"AUTH", place.password.encode())
        sent = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        said.reply(b"*%d\r\n%s" % (len(words), sent))
