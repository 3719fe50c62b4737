"""A server looked at twice, seconds apart, as `doctor` needs it.

It is cheap for the server: no KEYS, a search for queues within a budget, samples of fixed size.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from sturdis.adapters.redis import asking, doctor_memory, doctor_queues
from sturdis.adapters.redis.doctor_queues import Found
from sturdis.adapters.redis.link import LINK_SECONDS, Link
from sturdis.core import info as infos
from sturdis.core.address import Address
from sturdis.core.doctor.live import Client, Glance, Held, Latency, Live, QueueLooks
from sturdis.core.errors import TargetError
from sturdis.core.facts import Unseen
from sturdis.core.replies import ErrorReply, Reply, text

SECONDS = 2.0
"""Between two looks: a worker that waits takes a job within milliseconds, everysec asks for an
fsync each second."""

GLANCE_SECONDS = 0.1
"""Between two glances at what the disk does."""


def look(
    address: Address,
    *,
    seconds: float = SECONDS,
    turns: Callable[[], int | None] = lambda: None,
) -> Live | Unseen:
    """Look twice, `seconds` apart; a server that does not answer in between is unseen.

    Args:
        address: Where it answers.
        seconds: Between the looks.
        turns: Counts how often the thread of its fsyncs waited, where that can be seen.

    Raises:
        AccessError: It does not let us in.
    """
    try:
        with Link(address, life_seconds=LINK_SECONDS) as link:
            return _look(link, seconds, turns)
    except TargetError as error:
        return Unseen(f"{error.what}: {error.why}")


def _look(link: Link, seconds: float, turns: Callable[[], int | None]) -> Live | Unseen:
    before = asking.info(link)
    if isinstance(before, Unseen):
        return before
    if before.get("loading") == "1":
        return Unseen("LOADING: the server reads its data, and answers nothing else until then")
    began = time.monotonic()
    found = asking.seen(lambda: doctor_queues.find(link))
    queues: Sequence[QueueLooks] | Unseen
    held: Sequence[Held] | Unseen
    if isinstance(found, Unseen):
        queues = held = found
        glances = [_glance(link, turns) for _ in _pauses(began + seconds)]
    else:
        held = asking.seen(lambda: doctor_memory.held(link, found))
        pauses = _pauses(began + seconds)
        glances = []
        queues = asking.seen(
            lambda: _looked_into(
                link, found, lambda: glances.extend(_glance(link, turns) for _ in pauses)
            )
        )
    after = asking.info(link)
    return Live(
        seconds=time.monotonic() - began,
        before=before,
        after=before if isinstance(after, Unseen) else after,
        glances=glances,
        latencies=_latencies(link.call("LATENCY", "LATEST"), int(time.time())),
        clients=_clients(link.call("CLIENT", "LIST")),
        queues=queues,
        held=held,
        partly="" if isinstance(found, Unseen) else found.partly,
    )


def _looked_into(link: Link, found: Found, wait: Callable[[], None]) -> tuple[QueueLooks, ...]:
    """Look into the queues before and after `wait`; what is odd in both is told."""
    first, suspects = doctor_queues.look(link, found), doctor_queues.orphans(link, found)
    wait()
    second = {one.queue: one for one in doctor_queues.look(link, found)}
    again = doctor_queues.in_no_state(link, [(one.queue, sorted(one.ids)) for one in suspects])
    pairs = zip(suspects, again, strict=True)
    orphans = {one.queue: (later.ids, one.judged) for one, later in pairs}
    nobody: tuple[frozenset[str], int] = (frozenset(), 0)
    return tuple(
        QueueLooks(one, second[one.queue], *orphans.get(one.queue, nobody)) for one in first
    )


def _pauses(until: float) -> Iterator[None]:
    """Wait a little, again and again, until that time of the monotonic clock; at least once."""
    pause = threading.Event()
    while True:
        pause.wait(min(GLANCE_SECONDS, max(0.0, until - time.monotonic())))
        yield
        if time.monotonic() >= until:
            return


def _glance(link: Link, turns: Callable[[], int | None]) -> Glance:
    count = turns()
    told = asking.info(link, "persistence")
    info = {} if isinstance(told, Unseen) else told
    return Glance(
        at=time.monotonic(),
        turns=count,
        size=infos.number(info, "aof_current_size"),
        is_syncing=info.get("aof_pending_bio_fsync", "0") not in {"", "0"},
    )


def _clients(reply: Reply) -> tuple[Client, ...] | Unseen:
    if isinstance(reply, ErrorReply):
        return Unseen(f"CLIENT LIST is refused: {reply.text}")
    lines = text(reply).splitlines()
    told = [dict(part.split("=", 1) for part in line.split(" ") if "=" in part) for line in lines]
    return tuple(
        Client(
            address=one.get("addr", ""),
            name=one.get("name", ""),
            idle=infos.number(one, "idle"),
            command=one.get("cmd", "").lower(),
            flags=one.get("flags", ""),
            library=one.get("lib-name", ""),
            pending=infos.number(one, "omem"),
        )
        for one in told
        if not one.get("cmd", "").lower().startswith("client")  # our own
    )


def _latencies(reply: Reply, now: int) -> dict[str, Latency]:
    events = reply if isinstance(reply, tuple) else ()
    return {
        text(name): Latency(now - at, last, longest)
        for name, at, last, longest, *_more in (one for one in events if isinstance(one, tuple))
        if isinstance(at, int) and isinstance(last, int) and isinstance(longest, int)
    }
