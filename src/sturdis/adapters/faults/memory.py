"""Faults of the memory of a rig's server."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sturdis.adapters.drill.python_client import connect
from sturdis.adapters.faults.on_rig import OnRig, Parts, come
from sturdis.adapters.redis.link import Link
from sturdis.core.drill.events import Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import memory
from sturdis.core.drill.observed import Figures
from sturdis.core.errors import TargetError
from sturdis.core.replies import ErrorReply

REFUSED_WITHIN = 10.0
"""Longest wait for the first write to be refused, in seconds."""

CLEANED_AT_ONCE = 1000
"""Jobs that one call of BullMQ's `clean` removes."""

REFUSALS = "errorstat_OOM"

VALUE = b"x" * 10_000
FILLING = "sturdis:drill:filling:"
"""What fills the memory, and the beginning of its keys' names."""

TOGETHER = 100
"""Keys in one trip."""

REWRITTEN_WITHIN = 30.0
"""Longest wait for a rewrite, in seconds."""

SAVE_DELAY = "100"
"""Microseconds for each key that a rewrite writes: there is time to write to all pages."""


class MemoryFull(OnRig):
    """`maxmemory` is what is used already, until cleaning by BullMQ has made room.

    `refusals_per_second` counts writes that the server refused: far more than adds where workers
    that are given no job ask again at once. `unfreed`: rounds in which cleaning made no room.
    """

    def __init__(self, options: memory.MemoryFull, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options
        self._before = ""
        self._since = self._refused = self._worst = 0.0
        self.counted["unfreed"] = 0

    def inject(self, number: int) -> Sequence[Event]:
        """Let no write through that needs memory."""
        del number
        self._before = _setting(self.rig.call("CONFIG", "GET", "maxmemory"))
        self._refused, self._since = self._refusals(), time.monotonic()
        used = int(self.rig.info()["used_memory"]) + self._options.room
        self.rig.call("CONFIG", "SET", "maxmemory", used)
        met = come(lambda: self._refusals() > self._refused, REFUSED_WITHIN)
        self.counted["unmet"] += not met
        return ()

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Have BullMQ remove completed jobs, see that writes go on, and set the limit back."""
        if self._before:
            refused = self._refusals() - self._refused
            self._worst = max(self._worst, refused / (time.monotonic() - self._since))
            self.counted["cleaned_jobs"] += asyncio.run(self._clean())
            self.counted["unfreed"] += not self._takes_writes()
            self.rig.call("CONFIG", "SET", "maxmemory", self._before)
            self._before = ""
        return super().undo(number, seconds)

    def figures(self) -> Figures:
        """Give what was counted, and the worst rate of refusals."""
        return {**self.counted, "refusals_per_second": round(self._worst, 1)}

    def _refusals(self) -> int:
        told = self.rig.call("INFO", "errorstats")
        lines = told.decode().splitlines() if isinstance(told, bytes) else []
        return sum(int(one.partition("count=")[2]) for one in lines if one.startswith(REFUSALS))

    def _takes_writes(self) -> bool:
        return not isinstance(self.rig.call("SET", f"{FILLING}probe", "x", "PX", 1000), ErrorReply)

    async def _clean(self) -> int:
        """Remove completed jobs of all queues, as their users do; give how many."""
        from bullmq import Queue  # noqa: PLC0415  300 ms, only where memory is full

        removed = 0
        for key in _names(self.rig.call("KEYS", "*:id")):
            prefix, name, _id = key.rsplit(":", 2)
            client = connect(self.rig.address)
            queue = Queue(name, {"connection": client, "prefix": prefix})
            try:
                while some := await queue.clean(0, CLEANED_AT_ONCE, "completed"):
                    removed += len(some)
            finally:
                await queue.close()
        return removed


class MemoryKernel(OnRig):
    """Filled to `maxmemory`, and all of it written to while it is rewritten.

    `kernel_kills` counts what the kernel ended for want of memory; `peak_of_limit` is the most
    memory that was used, as a part of the limit.
    """

    def __init__(self, options: memory.MemoryKernel, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options
        self._keys = 0
        self._kills: int | None = None
        self._peak: float | None = None
        self.counted["failed_rewrites"] = 0

    def inject(self, number: int) -> Sequence[Event]:
        """Fill, and rewrite under writes."""
        del number
        try:
            self._fill()
            for _rewrite in range(self._options.rewrites):
                self._rewrite()
        except TargetError:  # it was ended
            self.counted["failed_rewrites"] += 1
        self._look()
        return ()

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Take the filling away; start the server where the kernel ended it."""
        if not self.rig.info():
            self.rig.end_all()
            self.down = True
        served = super().undo(number, seconds)
        with Link(self.rig.address) as link:
            for keys in self._in_trips():
                link.call("DEL", *keys)
        self._keys = 0
        return served

    def figures(self) -> Figures:
        """Give what was counted, and what the kernel tells."""
        return {**self.counted, "kernel_kills": self._kills, "peak_of_limit": self._peak}

    def _fill(self) -> None:
        """Write until memory is full."""
        with Link(self.rig.address) as link:
            while not isinstance(link.call("SET", f"{FILLING}{self._keys}", VALUE), ErrorReply):
                self._keys += 1
        self.counted["unmet"] += not self._keys

    def _rewrite(self) -> None:
        """Write to every page while a rewrite reads them all."""
        self.rig.call("CONFIG", "SET", "rdb-key-save-delay", SAVE_DELAY)
        self.rig.call("BGREWRITEAOF")
        with Link(self.rig.address) as link:
            for keys in self._in_trips():
                writes = (((("DEL", key), ("SET", key, VALUE))) for key in keys)
                link.call_all([command for both in writes for command in both])
        come(lambda: self.rig.info().get("aof_rewrite_in_progress") == "0", REWRITTEN_WITHIN)
        ended = self.rig.info().get("aof_last_bgrewrite_status")
        self.counted["failed_rewrites"] += ended != "ok"

    def _in_trips(self) -> Iterator[Sequence[str]]:
        names = [f"{FILLING}{number}" for number in range(self._keys)]
        return (names[at : at + TOGETHER] for at in range(0, len(names), TOGETHER))

    def _look(self) -> None:
        """Read what the kernel tells of the group: either version of them."""
        group = self.rig.group
        if group is None:
            return
        for events, peak in (
            ("memory.events", "memory.peak"),
            ("memory.oom_control", "memory.max_usage_in_bytes"),
        ):
            if (kills := _fields(group / events).get("oom_kill")) is not None:
                self._kills = int(kills)
                most = (group / peak).read_text(encoding="ascii") if (group / peak).exists() else ""
                self._peak = round(int(most) / self._options.limit, 2) if most else None


def _fields(path: Path) -> Mapping[str, str]:
    """Read a file of `name value` lines; empty where there is none."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="ascii").splitlines()
    return dict(line.split(maxsplit=1) for line in lines if " " in line)


def _setting(reply: object) -> str:
    value = reply[1] if isinstance(reply, tuple) and len(reply) > 1 else b""
    return value.decode() if isinstance(value, bytes) else ""


def _names(reply: object) -> list[str]:
    found = reply if isinstance(reply, tuple) else ()
    return [one.decode() for one in found if isinstance(one, bytes)]


def of(options: Options, parts: Parts) -> OnRig | None:
    """Give the fault that the options ask for; None: it is of another family."""
    match options:
        case memory.MemoryFull():
            return MemoryFull(options, parts)
        case memory.MemoryKernel():
            return MemoryKernel(options, parts)
    return None
