"""A server whose memory is full by its own measure, wherever it runs, and cleaning by BullMQ."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Protocol

from sturdis.adapters.drill.python_client import connect
from sturdis.adapters.faults.on_rig import come
from sturdis.core.address import Address
from sturdis.core.drill.faults import memory
from sturdis.core.drill.observed import Figures
from sturdis.core.replies import ErrorReply, Reply

REFUSED_WITHIN = 10.0
"""Longest wait for the first write to be refused, in seconds."""

FREED_WITHIN = 10.0
"""Longest that is cleaned until a write is let through again, in seconds."""

CLEANED_AT_ONCE = 1000
"""Jobs that one call of BullMQ's `clean` removes."""

REFUSALS = "errorstat_OOM"

FILLING = "sturdis:drill:filling:"
"""The beginning of the names of a drill's keys that are no job's."""


class Called(Protocol):
    """A server that can be spoken to."""

    @property
    def address(self) -> Address:
        """Where it answers."""

    def call(self, *words: str | bytes | int) -> Reply:
        """Send one command and give its reply."""

    def info(self) -> Mapping[str, str]:
        """Give what INFO tells."""


class FullMemory:
    """`maxmemory` of a server, brought down to what it uses."""

    def __init__(self, server: Called, options: memory.MemoryFull) -> None:
        self._server = server
        self._options = options
        self._before = ""
        self._since = self._refused = self._worst = 0.0
        self._cleaned = self._unfreed = 0

    def limit(self) -> str:
        """Give the server's `maxmemory`, in bytes."""
        return _setting(self._server.call("CONFIG", "GET", "maxmemory"))

    def fill(self) -> bool:
        """Let no write through that needs memory; tell whether one was refused."""
        self._before = self.limit()
        self._refused, self._since = self._refusals(), time.monotonic()
        used = int(self._server.info()["used_memory"]) + self._options.room
        self._server.call("CONFIG", "SET", "maxmemory", used)
        return come(lambda: self._refusals() > self._refused, REFUSED_WITHIN)

    def free(self, queues: Iterable[tuple[str, str]]) -> None:
        """Have BullMQ remove completed jobs of queues, by prefix and name; see that writes go on.

        Nothing is done where it was not filled.
        """
        if self._before:
            refused = self._refusals() - self._refused
            self._worst = max(self._worst, refused / (time.monotonic() - self._since))
            some = tuple(queues)
            self._unfreed += not come(lambda: self._makes_room(some), FREED_WITHIN)

    def give_back(self) -> None:
        """Set the limit back; nothing is done where it was not filled."""
        if self._before:
            self._server.call("CONFIG", "SET", "maxmemory", self._before)
            self._before = ""

    def figures(self) -> Figures:
        """Give what was counted.

        `refusals_per_second` counts writes that the server refused: far more than adds where
        workers that are given no job ask again at once. `unfreed`: rounds in which cleaning made
        no room.
        """
        return {
            "cleaned_jobs": self._cleaned,
            "unfreed": self._unfreed,
            "refusals_per_second": round(self._worst, 1),
        }

    def _makes_room(self, queues: Iterable[tuple[str, str]]) -> bool:
        """Clean once; workers that finish a job meanwhile use memory that was free before."""
        self._cleaned += clean(self._server.address, queues)
        return self._takes_writes()

    def _refusals(self) -> int:
        told = self._server.call("INFO", "errorstats")
        lines = told.decode().splitlines() if isinstance(told, bytes) else []
        return sum(int(one.partition("count=")[2]) for one in lines if one.startswith(REFUSALS))

    def _takes_writes(self) -> bool:
        probe = self._server.call("SET", f"{FILLING}probe", "x", "PX", 1000)
        return not isinstance(probe, ErrorReply)


def clean(address: Address, queues: Iterable[tuple[str, str]]) -> int:
    """Remove completed jobs of queues, by prefix and name, as their users do; give how many."""
    return asyncio.run(_clean(address, queues))


async def _clean(address: Address, queues: Iterable[tuple[str, str]]) -> int:
    # Where there are none the script's only write is its event, refused like any other.
    from bullmq import Queue  # noqa: PLC0415  300 ms, only where memory is full
    from redis.exceptions import OutOfMemoryError  # noqa: PLC0415  with it

    removed = 0
    for prefix, name in queues:
        queue = Queue(name, {"connection": connect(address), "prefix": prefix})
        try:
            while some := await queue.clean(0, CLEANED_AT_ONCE, "completed"):
                removed += len(some)
        except OutOfMemoryError:
            continue
        finally:
            await queue.close()
    return removed


def _setting(reply: Reply) -> str:
    value = reply[1] if isinstance(reply, tuple) and len(reply) > 1 else b""
    return value.decode() if isinstance(value, bytes) else ""
