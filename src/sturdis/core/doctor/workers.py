"""Jobs that nobody takes: workers that are connected and fetch nothing, and queues without any."""

from collections.abc import Iterator, Sequence

from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.live import Client, Live, QueueLooks

SHOWN = 3
"""Connections that are named."""


def diagnose(live: Live, cli: str) -> Iterator[Diagnosis]:
    """Tell of each queue whose jobs were not moved by anybody between two looks."""
    queues = live.queues if isinstance(live.queues, Sequence) else ()
    for queue in queues:
        if _is_stuck(queue):
            yield _of(queue, live, cli)


def _is_stuck(queue: QueueLooks) -> bool:
    """Tell whether jobs could be taken and none was.

    A worker that is busy has locked jobs, one that waits takes the next within milliseconds.
    """
    looks = queue.before, queue.after
    return (
        all(one.waiting for one in looks)
        and not any(one.is_paused or one.is_limited for one in looks)
        and not queue.moves
    )


def _of(queue: QueueLooks, live: Live, cli: str) -> Diagnosis:
    clients = live.clients if isinstance(live.clients, Sequence) else ()
    workers = [one for one in clients if queue.after.is_worker(one)]
    seen = f"{queue.name}: {queue.after.waiting} jobs wait, none was taken in {live.seconds:.1f} s"
    if not workers:
        return Diagnosis(
            "workers.none",
            Severity.CRITICAL,
            "jobs wait and no worker is connected",
            f"{seen}; none of {len(clients)} connections has the name of a worker of it",
            "Nobody works on this queue: its workers ended, look at another server or another "
            "prefix, or cannot connect.",
            "start its workers; their log says why they do not connect. "
            f"{cli} client list    shows who is connected",
        )
    shown = ", ".join(map(_shown, workers[:SHOWN]))
    kills = " ".join(f"{cli} client kill addr {one.address};" for one in workers[:SHOWN])
    return Diagnosis(
        "workers.idle",
        Severity.CRITICAL,
        "workers are connected and fetch nothing",
        f"{seen}; {len(workers)} connections of its workers: {shown}",
        "A worker that hangs, is stopped, or lost a reply while the connection was cut keeps its "
        "connection and takes no job.",
        f"restart these workers; a connection alone is made anew by {kills.rstrip(';')}",
    )


def _shown(client: Client) -> str:
    doing = "blocked in" if client.blocks else "idle since"
    return f"{client.address} {doing} {client.command}, {client.idle} s"
