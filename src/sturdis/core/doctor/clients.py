"""Connections that cost more than they should, as far as a server can tell.

What it cannot tell: whether a worker gives up requests (maxRetriesPerRequest), whether it leaves a
server that turned read-only, and how long it waits on a connection that is silent.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.live import Client, Live
from sturdis.core.units import human_bytes

CHURN = 10.0
"""Connections a second that end and are made anew: BullMQ's clients keep theirs for life."""

LEAKED = 100
"""Nameless idle connections of one host, as of an application that makes a Queue per request; the
alert RedisConnectionsHigh fires at as many."""

LEAK_IDLE = 60
"""Seconds without a command."""

UNREAD = 16 << 20
"""Bytes of replies that a client leaves unread."""

WORKERS_WAIT_IN = ("bzpopmin", "brpoplpush", "blmove")
"""What workers of BullMQ 5 and 6, of BullMQ 1 to 4 and Bull, and of a few forks block in."""

MONITOR = "O"
"""The flag of a connection in MONITOR mode."""


def diagnose(live: Live, cli: str) -> Iterator[Diagnosis]:
    """Tell of connections."""
    clients = live.clients if isinstance(live.clients, Sequence) else ()
    yield from _churn(live, cli)
    yield from _leak(clients, cli)
    yield from _unread(clients, cli)
    yield from _nameless(clients, cli)


def _churn(live: Live, cli: str) -> Iterator[Diagnosis]:
    more = live.number("connected_clients") - int(live.before.get("connected_clients", "0"))
    ended = live.risen("total_connections_received") - more  # a pool that fills is no churn
    if not live.seconds or ended / live.seconds < CHURN:
        return
    yield Diagnosis(
        "clients.churn",
        Severity.MINOR,
        "clients connect anew all the time",
        f"{ended} connections ended within {live.seconds:.1f} s, and as many were made",
        "A Queue that is made per request, a probe without a rest, or workers that lose their "
        "connection: each one costs a handshake and, over TLS, much more.",
        f"{cli} client list    twice: what has an age of 0 is new; make one Queue and keep it",
    )


def _leak(clients: Sequence[Client], cli: str) -> Iterator[Diagnosis]:
    idle = [one for one in clients if not one.name and not one.blocks and one.idle >= LEAK_IDLE]
    for host, count in Counter(one.host for one in idle).most_common(1):
        if count < LEAKED:
            return
        yield Diagnosis(
            "clients.leak",
            Severity.MINOR,
            "one host holds many connections that do nothing",
            f"{count} of {len(clients)} connections are of {host}, have no name and have been idle "
            f"for {LEAK_IDLE} s",
            "BullMQ takes one connection for a Queue and two for a Worker; a number that grows is "
            "an application that makes a Queue per request and never closes it.",
            f"make one Queue and keep it; until then {cli} config set timeout N would cut workers "
            "too, so restart that application",
        )


def _unread(clients: Sequence[Client], cli: str) -> Iterator[Diagnosis]:
    slow = [one for one in clients if one.pending >= UNREAD or MONITOR in one.flags]
    if not slow:
        return
    worst = max(slow, key=lambda one: one.pending)
    doing = "watches every command (MONITOR)" if MONITOR in worst.flags else "does not read"
    yield Diagnosis(
        "clients.slow",
        Severity.SERIOUS if worst.pending >= UNREAD else Severity.MINOR,
        "a client makes the server keep replies",
        f"{worst.address} {worst.name} {doing}: {human_bytes(worst.pending)} are kept for it",
        "What a client does not read stays in the server's memory, beside the jobs.",
        f"{cli} client kill addr {worst.address}",
    )


def _nameless(clients: Sequence[Client], cli: str) -> Iterator[Diagnosis]:
    found = [
        one for one in clients if one.blocks and one.command in WORKERS_WAIT_IN and not one.name
    ]
    if not found:
        return
    kinds = Counter(f"{one.command} by {one.library or 'a nameless library'}" for one in found)
    yield Diagnosis(
        "clients.contract",
        Severity.MINOR,
        "workers have no name",
        f"{len(found)} connections: "
        + ", ".join(f"{count} in {kind}" for kind, count in kinds.most_common(2)),
        "BullMQ names its workers' connections, so that they can be counted by queue. Bull 3, a "
        "client without CLIENT SETNAME, or an ACL that forbids it leaves them nameless: nobody can "
        "tell whether a queue has workers.",
        f"{cli} client list    shows where they come from; let BullMQ make its own connections, "
        "with maxRetriesPerRequest null",
    )
