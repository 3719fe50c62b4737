"""Which jobs of a drill a rig's server holds in memory, and which its files have."""

import re

from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.redis.link import Link
from sturdis.core.aof import guard as guards
from sturdis.core.replies import Reply

SCAN_COUNT = 1000

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
        cursor: Reply = b"0"
        while True:
            step = link.call("SCAN", _word(cursor), "COUNT", SCAN_COUNT, "TYPE", "hash")
            cursor, keys = step if isinstance(step, tuple) else (b"0", ())
            for data in link.call_all([("HGET", key, "data") for key in _words(keys)]):
                found.update(_uuids(data))
            if cursor == b"0":
                return found


def written(rig: Rig) -> set[str]:
    """Give all UUIDs in whole transactions of the increments, which every add is.

    The base is of before the load, and empty, where nothing was rewritten since.
    """
    files = (rig.data / guards.FOLDER).glob("*.incr.aof")
    whole = (path.read_bytes().rpartition(EXEC)[0] for path in files)
    return {one.decode() for content in whole for one in UUID.findall(content)}


def _uuids(data: Reply) -> list[str]:
    return [one.decode() for one in DATA_UUID.findall(data)] if isinstance(data, bytes) else []


def _words(keys: Reply) -> list[bytes]:
    return [key for key in keys if isinstance(key, bytes)] if isinstance(keys, tuple) else []


def _word(cursor: Reply) -> bytes:
    return cursor if isinstance(cursor, bytes) else b"0"
