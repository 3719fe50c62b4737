"""What holds the memory of a server that is nearly full, and what of it may go."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sturdis.core.bullmq import cleaning
from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.live import Held, Live
from sturdis.core.units import human_bytes

SHOWN = 6
"""Parts of the data that are told, the largest first."""

FRAGMENTED = 1.5
"""Resident bytes per byte in use from which it matters; Redis' activedefrag begins at 1.1."""

FRAGMENTED_BYTES = 256 << 20
"""Small servers are fragmented by what they began with."""

BUFFERS_PERCENT = 10
"""Per cent of maxmemory in buffers of clients: as the alert thresholds leave free."""

BUFFERS_BYTES = 32 << 20

WORTH = 1 << 20
"""Bytes that are worth a command."""


def held_by(one: Diagnosis, live: Live) -> Diagnosis:
    """Add to what is told of the memory what holds it."""
    lines = [one.seen, *map(_line, _largest(live)[:SHOWN]), *_beside(live)]
    if live.partly:
        lines.append(live.partly)
    return replace(one, seen="\n".join(lines))


def emptied(full: Diagnosis, live: Live, cli: str) -> Diagnosis:
    """Add to a full memory the commands that make room safely, the most of it first."""
    held = _largest(live)
    cleans = [command for one in held if one.size >= WORTH for command in _commands(one, cli)]
    steps = cleans or [full.do]
    return replace(full, do="\n".join(steps))


def diagnose(live: Live, cli: str) -> Iterator[Diagnosis]:
    """Tell of memory that is not the data's."""
    yield from _fragmented(live, cli)
    yield from _buffers(live, cli)


def _largest(live: Live) -> list[Held]:
    held = live.held if isinstance(live.held, Sequence) else ()
    return sorted((one for one in held if one.size), key=lambda one: -one.size)


def _line(one: Held) -> str:
    error = f" ± {human_bytes(one.error)}" if one.error else ""
    return f"{one.what}: {one.count} take {human_bytes(one.size)}{error}"


def _beside(live: Live) -> Iterator[str]:
    clients = live.number("mem_clients_normal")
    ratio = live.after.get("mem_fragmentation_ratio", "?")
    yield f"clients' buffers take {human_bytes(clients)}; fragmentation {ratio}"


def _commands(one: Held, cli: str) -> Iterator[str]:
    """Say how a part is made smaller without losing work; nothing where it may not be."""
    if one.queue is None:
        yield "give what is in no queue an expiry (SET … EX), or a server of its own"
    elif one.kind == "events":
        yield cleaning.trim_events(one.queue, cli)
    elif one.kind == "completed":
        yield cleaning.clean(one.queue, one.kind)
    elif one.kind == "failed" and one.children:
        yield (
            f"leave {one.what}: {one.children} of those looked at are children of flows, and a "
            "parent that waits would go on without them"
        )
    elif one.kind == "failed":
        yield f"{cleaning.clean(one.queue, one.kind)}    once you kept what you need of them"


def _fragmented(live: Live, cli: str) -> Iterator[Diagnosis]:
    used, resident = live.number("used_memory"), live.number("used_memory_rss")
    if not used or resident - used < FRAGMENTED_BYTES or resident / used < FRAGMENTED:
        return
    yield Diagnosis(
        "memory.fragmented",
        Severity.MINOR,
        "memory is lost to fragmentation",
        f"{human_bytes(resident)} resident for {human_bytes(used)} in use",
        "The kernel counts what is resident: the limit of the container is nearer than maxmemory.",
        f"{cli} memory purge; {cli} config set activedefrag yes, where the server has jemalloc",
    )


def _buffers(live: Live, cli: str) -> Iterator[Diagnosis]:
    size = live.number("mem_clients_normal")
    limit = live.number("maxmemory")
    if size < BUFFERS_BYTES or (limit and 100 * size < BUFFERS_PERCENT * limit):
        return
    yield Diagnosis(
        "memory.buffers",
        Severity.SERIOUS,
        "clients' buffers take much memory",
        f"{human_bytes(size)} of maxmemory {human_bytes(limit)}",
        "They count against maxmemory: what clients do not read keeps jobs out.",
        f"{cli} client list    and look for the largest tot-mem and omem",
    )
