"""Clients that are refused again and again: errors that became more between two looks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sturdis.core import info as infos
from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.live import Live

SPINNING = 100
"""Errors a second from which clients spin: a worker that cannot fetch made 10,000 (OOM), and a
producer that is refused makes as many as it adds."""


@dataclass(frozen=True)
class Refusal:
    """What an error means, and what ends it."""

    what: str
    do: str


REFUSALS: Mapping[str, Refusal] = {
    "OOM": Refusal(
        "writes are refused for want of memory",
        "make room first (memory.full says how); restart no worker before there is room, one that "
        "starts cannot fetch and spins",
    ),
    "MISCONF": Refusal(
        "writes are refused since the append-only file could not be written",
        "mend the disk, then {doctor} --heal",
    ),
    "READONLY": Refusal(
        "writes are refused, the server follows another one",
        "{cli} info replication; clients leave such a server with reconnectOnError",
    ),
    "NOREPLICAS": Refusal(
        "writes are refused for want of replicas",
        "{cli} config set min-replicas-to-write 0, or bring the replicas back",
    ),
}
"""First word of an error to what it means."""


def diagnose(live: Live, cli: str, doctor: str) -> Iterator[Diagnosis]:
    """Tell of each error whose count rose while it was looked at."""
    for word, refusal in REFUSALS.items():
        risen = infos.errors(live.after, word) - infos.errors(live.before, word)
        if risen <= 0:
            continue
        rate = risen / live.seconds if live.seconds else float(risen)
        spins = "; clients try again without a pause" if rate >= SPINNING else ""
        yield Diagnosis(
            "errors.rising",
            Severity.CRITICAL,
            refusal.what,
            f"{risen} replies with {word} within {live.seconds:.1f} s: {rate:.0f} a second{spins}",
            "Each is a job that was not added, not taken or not finished. A client that spins "
            "takes the server's time, and fills its own logs.",
            refusal.do.format(cli=cli, doctor=doctor),
        )
