"""Which jobs of a drill a rig's server holds in memory, and which its files have."""

import contextlib
import re
import threading
from contextlib import AbstractContextManager

from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.redis.link import Link
from sturdis.core.aof import guard as guards
from sturdis.core.errors import SturdisError
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


class Watch(AbstractContextManager["Watch"]):
    """Reads which jobs the server holds, over and over until it is killed within the context."""

    def __init__(self, rig: Rig) -> None:
        self.held = held(rig)
        self._rig = rig
        self._ended = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def _watch(self) -> None:
        with contextlib.suppress(SturdisError):
            while not self._ended.is_set():
                self.held |= held(self._rig)

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._watching.join()


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
