"""Which jobs of a drill a rig's server holds in memory, and which its files have."""

import re
from pathlib import Path

from sturdis.adapters.drill import ledger_log
from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.redis import scanning
from sturdis.adapters.redis.link import Link
from sturdis.core.aof import guard as guards
from sturdis.core.drill.events import Intent
from sturdis.core.replies import Reply

RECENT = 30_000
"""Milliseconds, longer than any window in which a loss may be excused."""

EXEC = b"*1\r\n$4\r\nEXEC\r\n"

UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DATA_UUID = re.compile(rb'"uuid":\s*"(' + UUID.pattern + rb')"')
"""How a job's data names the job of the ledger."""


def held(rig: Rig) -> set[str]:
    """Give the UUIDs of all jobs in the server's memory.

    Raises:
        TargetError: It does not answer.
    """
    with Link(rig.address) as link:
        found: set[str] = set()
        for keys in scanning.steps(link, "TYPE", "hash"):
            for data in link.call_all([("HGET", key, "data") for key in keys]):
                found.update(_uuids(data))
        return found


def asked(folder: Path, at: int) -> set[str]:
    """Give the jobs that were asked for from `RECENT` before `at` on (ms since 1970).

    Raises:
        DrillError: `drill.log_damaged` or `drill.log_lost`: the logs in `folder` cannot be read.
    """
    told = ledger_log.read(folder).events
    return {one.uuid for one in told if isinstance(one, Intent) and one.at > at - RECENT}


def written(rig: Rig) -> set[str]:
    """Give all UUIDs in whole transactions of the increments, which every add is.

    The base is of before the load, and empty, where nothing was rewritten since.
    """
    files = (rig.data / guards.FOLDER).glob("*.incr.aof")
    whole = (path.read_bytes().rpartition(EXEC)[0] for path in files)
    return {one.decode() for content in whole for one in UUID.findall(content)}


def _uuids(data: Reply) -> list[str]:
    return [one.decode() for one in DATA_UUID.findall(data)] if isinstance(data, bytes) else []
