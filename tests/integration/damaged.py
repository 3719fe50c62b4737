"""Folders whose append-only file is damaged, and what `repair` makes of them."""

import json
from pathlib import Path
from typing import Any

from sturdis import wiring
from sturdis.core.repair.plan import Repaired
from tests.core.repair.mails import SELECT, add, complete, fetch, flipped
from tests.integration.running import sturdis
from tests.integration.servers import start_server

PARTS = "appendonlydir"
INCREMENT = f"{PARTS}/appendonly.aof.1.incr.aof"
MANIFEST = f"{PARTS}/appendonly.aof.manifest"
BASE = f"{PARTS}/appendonly.aof.1.base.rdb"

HEAD = SELECT + b"".join(map(add, range(1, 7)))
LOST = fetch(1)
REST = complete(1) + fetch(2) + complete(2) + fetch(3) + add(7)
WHOLE = HEAD + LOST + REST


def folder(path: Path, server: str, increment: bytes = WHOLE) -> Path:
    """Make a data folder of `server`, with a base and one increment."""
    with start_server(path, "--appendonly", "yes", server=server):
        pass
    (path / "server.log").unlink()
    (path / INCREMENT).write_bytes(increment)
    return path


def damaged(path: Path, server: str) -> Path:
    """Make one whose increment is damaged in the middle."""
    return folder(path, server, flipped(WHOLE, len(HEAD) + 20))


def contents(path: Path) -> dict[str, bytes]:
    """Give all files below a folder."""
    return {
        str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()
    }


def repair(path: Path, server: str) -> Repaired:
    return wiring.repair(path, agree=lambda _plan: True, server=server)


def told(path: Path, *options: str) -> dict[str, Any]:
    """Run the command, and give what it told."""
    answer = sturdis("repair", str(path), "--json", *options)
    found = json.loads(answer.stdout)
    assert isinstance(found, dict)
    return found
