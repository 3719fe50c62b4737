"""Faults of the memory of a rig's server."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sturdis.adapters.faults.full_memory import FILLING, FullMemory
from sturdis.adapters.faults.on_rig import OnRig, Parts, come
from sturdis.adapters.redis.link import Link
from sturdis.core.drill.events import Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import memory
from sturdis.core.drill.observed import Figures
from sturdis.core.errors import TargetError
from sturdis.core.replies import ErrorReply

VALUE = b"x" * 10_000
"""What fills the memory."""

TOGETHER = 100
"""Keys in one trip."""

REWRITTEN_WITHIN = 30.0
"""Longest wait for a rewrite, in seconds."""

SAVE_DELAY = "100"
"""Microseconds for each key that a rewrite writes: there is time to write to all pages."""


class MemoryFull(OnRig):
    """`maxmemory` is what is used already, until cleaning by BullMQ has made room."""

    def __init__(self, options: memory.MemoryFull, parts: Parts) -> None:
        super().__init__(parts)
        self._memory = FullMemory(parts.rig, options)

    def inject(self, number: int) -> Sequence[Event]:
        """Let no write through that needs memory."""
        del number
        self.counted["unmet"] += not self._memory.fill()
        return ()

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Have BullMQ remove completed jobs, see that writes go on, and set the limit back."""
        self._memory.free(self._queues())
        self._memory.give_back()
        return super().undo(number, seconds)

    def figures(self) -> Figures:
        """Give what was counted, and the worst rate of refusals."""
        return {**self.counted, **self._memory.figures()}

    def _queues(self) -> list[tuple[str, str]]:
        """Find all queues: prefix and name."""
        keys = self.rig.call("KEYS", "*:id")
        names = keys if isinstance(keys, tuple) else ()
        found = [one.decode() for one in names if isinstance(one, bytes)]
        return [(prefix, name) for prefix, name, _id in (one.rsplit(":", 2) for one in found)]


class MemoryKernel(OnRig):
    """Filled to `maxmemory`, and a part of it written anew while it is rewritten.

    `kernel_kills` counts what the kernel ended for want of memory; `peak_of_limit` is the most that
    server and rewrite held at one time, without the kernel's cache of files, in parts of the limit.
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
            refused = False
            while not refused:
                names = [f"{FILLING}{self._keys + more}" for more in range(TOGETHER)]
                told = link.call_all([("SET", name, VALUE) for name in names])
                refused = any(isinstance(one, ErrorReply) for one in told)
                self._keys += TOGETHER

    def _rewrite(self) -> None:
        """Write keys anew while a rewrite reads all of them."""
        self.rig.call("CONFIG", "SET", "rdb-key-save-delay", SAVE_DELAY)
        self.rig.call("BGREWRITEAOF")
        with Link(self.rig.address) as link:
            for keys in self._in_trips(self._options.churn):
                writes = (((("DEL", key), ("SET", key, VALUE))) for key in keys)
                link.call_all([command for both in writes for command in both])
                self._look()
        come(lambda: self.rig.info().get("aof_rewrite_in_progress") == "0", REWRITTEN_WITHIN)
        ended = self.rig.info().get("aof_last_bgrewrite_status")
        self.counted["failed_rewrites"] += ended != "ok"

    def _in_trips(self, part: float = 1.0) -> Iterator[Sequence[str]]:
        names = [f"{FILLING}{number}" for number in range(int(self._keys * part))]
        return (names[at : at + TOGETHER] for at in range(0, len(names), TOGETHER))

    def _look(self) -> None:
        """Read what the kernel tells of the group: either version of them."""
        if (group := self.rig.group) is None:
            return
        events = _fields(group / "memory.events") or _fields(group / "memory.oom_control")
        held = _fields(group / "memory.stat")
        if "oom_kill" in events:
            self._kills = int(events["oom_kill"])
        if anonymous := held.get("anon") or held.get("rss"):
            part = round(int(anonymous) / self._options.limit, 2)
            self._peak = max(self._peak or 0.0, part)


def _fields(path: Path) -> Mapping[str, str]:
    """Read a file of `name value` lines; empty where there is none."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="ascii").splitlines()
    return dict(line.split(maxsplit=1) for line in lines if " " in line)


def of(options: Options, parts: Parts) -> OnRig | None:
    """Give the fault that the options ask for; None: it is of another family."""
    match options:
        case memory.MemoryFull():
            return MemoryFull(options, parts)
        case memory.MemoryKernel():
            return MemoryKernel(options, parts)
    return None
