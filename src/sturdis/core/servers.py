"""Which Redis or Valkey runs: versions, support, and the choice among those at hand."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from sturdis.core.aof.rdb import Format
from sturdis.core.errors import DataError, ServerError

Product = Literal["redis", "valkey"]
Version = tuple[int, int, int]

TESTED: dict[Product, tuple[tuple[int, int], ...]] = {
    "redis": ((7, 0), (8, 0)),
    "valkey": ((8, 1), (9, 1)),
}
"""Releases of the test matrix: docs/adr/0010."""

OLDEST: Version = (7, 0, 0)
"""First release with the multi-part append-only file, of Redis and hence of every Valkey."""

NEWEST_RDB: dict[Product, tuple[tuple[tuple[int, int], int], ...]] = {
    "redis": (((7, 0), 10), ((7, 2), 11), ((7, 4), 12), ((8, 0), 12)),
    "valkey": (((7, 2), 11), ((8, 0), 11), ((8, 1), 11), ((9, 0), 80), ((9, 1), 80)),
}
"""Releases with the newest RDB version that each writes and reads: docs/adr/0010."""

NEWEST_SHARED_RDB = 11
"""Newest version under Redis' magic that any Valkey reads: docs/adr/0010."""

_VERSION_LINE = re.compile(r"(?P<product>Redis|Valkey) server v=(?P<version>\d+\.\d+\.\d+)")


@dataclass(frozen=True)
class Server:
    """A server program: what it is, and where."""

    product: Product
    version: Version
    path: str

    def __str__(self) -> str:
        return f"{self.product} {dotted(self.version)}"

    @property
    def tested(self) -> bool:
        """Whether its release is in the test matrix."""
        return self.version[:2] in TESTED[self.product]

    @property
    def too_old(self) -> bool:
        """Whether it lacks the multi-part append-only file."""
        return self.version < OLDEST


class Origin(Enum):
    """How a server came to be offered, in order of preference."""

    ASKED = "named with --server"
    RECORDED = "the one this data folder was last used with"
    ON_PATH = "on PATH, a tested release"
    EMBEDDED = "embedded, because no tested server is on PATH"
    ADOPTED = "it ran already, left by an `up` that was killed"


@dataclass(frozen=True)
class Offer:
    """A server that could run."""

    origin: Origin
    server: Server


@dataclass(frozen=True)
class Record:
    """The server that a data folder was last used with, as the folder remembers it."""

    server: Server
    embedded: bool


def parse_version_line(text: str, path: str) -> Server | None:
    """Read what `redis-server --version` prints; None when it is neither Redis nor Valkey."""
    match = _VERSION_LINE.search(text)
    if match is None:
        return None
    major, minor, patch = (int(part) for part in match["version"].split("."))
    product: Product = "redis" if match["product"] == "Redis" else "valkey"
    return Server(product, (major, minor, patch), path)


def told(info: Mapping[str, str]) -> tuple[Product, str]:
    """Read out of `INFO server` which product it is, and its release as it is told: 7.0.15."""
    product: Product = "valkey" if "valkey_version" in info else "redis"
    return product, info.get(f"{product}_version", "")


def dotted(version: Version) -> str:
    """Write a version as people do: 7.0.15."""
    return ".".join(map(str, version))


def choose(offers: Iterable[Offer]) -> Offer:
    """Take the first offer that may run; `offers` come in order of preference.

    A server that merely lies on PATH must be tested; one named by the user, remembered by the data
    folder or shipped with Sturdis runs even when its release is not in the matrix.

    Raises:
        ServerError: `server.too_old` for a server asked for; `server.missing` when none may run.
    """
    passed_over = []
    for offer in offers:
        server = offer.server
        if offer.origin is not Origin.ON_PATH:
            if server.too_old:
                raise ServerError(
                    "server.too_old",
                    f"{server} at {server.path} is too old",
                    why="before Redis 7.0 the append-only file was one file, mended otherwise",
                    do="--server PATH, with Redis 7.0 or newer, or any Valkey",
                )
            return offer
        if server.tested:
            return offer
        passed_over.append(
            f"{server} at {server.path} is {'too old' if server.too_old else 'untested'}"
        )
    raise ServerError(
        "server.missing",
        "no server to run was found",
        why="; ".join(passed_over) or "none on PATH, and no embedded one for this machine",
        do="install redis-server (Debian: apt install redis-server; macOS: brew install redis), "
        "or name one: --server PATH",
    )


def can_read(server: Server, written_by: Server) -> bool:
    """Tell whether `server` reads every file that `written_by` may have left.

    The base of the append-only file is an RDB, which servers read up to their own format: Redis
    7.0 writes 10, 7.2 11, 7.4 and 8 write 12, Valkey 7.2 and 8 write 11, Valkey 9 writes 80 and
    still reads 11 but not 12. Tried on the test matrix; docs/adr/0010.
    """
    if server.product == written_by.product:
        return server.version[:2] >= written_by.version[:2]
    return server.product == "valkey" and written_by.version[:2] <= (7, 2)


def refuse_unreadable(server: Server, record: Record | None) -> None:
    """Stop before a server meets data that it cannot read.

    Raises:
        DataError: `data.newer_server`.
    """
    if record is None or can_read(server, record.server):
        return
    raise DataError(
        "data.newer_server",
        f"{server} cannot read what {record.server} wrote in this folder",
        why="the base of the append-only file is in a format of the newer or other product",
        do=f"sturdis up --server PATH, with {record.server} or a newer {record.server.product}",
    )


def reads(server: Server, base: Format) -> bool:
    """Tell whether `server` reads a base of this format.

    Of a release newer than all of `NEWEST_RDB` it is not known, and the server may try.
    """
    valkeys_own = base.magic == "VALKEY"
    if valkeys_own and server.product != "valkey":
        return False
    known = NEWEST_RDB[server.product]
    if server.version[:2] > known[-1][0] and (valkeys_own or server.product == "redis"):
        return True
    newest = max((rdb for release, rdb in known if release <= server.version[:2]), default=0)
    if server.product == "valkey" and not valkeys_own:
        newest = min(newest, NEWEST_SHARED_RDB)
    return base.version <= newest


def refuse_unreadable_base(server: Server, base: Format | None, folder: str) -> None:
    """Stop before a server meets a base that is newer than it reads; a base may be no RDB at all.

    Raises:
        DataError: `data.newer_server`.
    """
    if base is None or reads(server, base):
        return
    product = "valkey" if base.magic == "VALKEY" else "redis"
    raise DataError(
        "data.newer_server",
        f"{server} cannot read the append-only file in {folder}",
        why=f"its base is of the format {base}, which a newer or other server wrote",
        do=f"sturdis up --server PATH, with the {product} that wrote it or a newer one",
    )
