"""What is wrong with a server that answers, wherever it runs: one look at it, or two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sturdis.core.doctor import (
    clients,
    damage,
    disk,
    jobs,
    memory,
    rates,
    server,
    workers,
)
from sturdis.core.doctor.damage import Files
from sturdis.core.doctor.diagnosis import Diagnosis
from sturdis.core.doctor.facts import NO_LOOK
from sturdis.core.doctor.live import Live
from sturdis.core.facts import NotVisible, ServerFacts, Unseen
from sturdis.core.spec import Spec


@dataclass(frozen=True)
class ServerSight:
    """A server at an address, and its files where they are on this machine."""

    target: str
    doctor: str
    """What to type to look again; it never holds a password."""
    server: ServerFacts
    live: Live | Unseen
    files: Files | NotVisible | Unseen
    log: str = ""
    """The end of its log, where it is on this machine."""


def diagnose(
    spec: Spec, facts: ServerFacts, live: Live | Unseen, doctor: str
) -> Iterator[Diagnosis]:
    """Say what is wrong with a server.

    Args:
        spec: What it should be.
        facts: One look at it.
        live: Two looks, seconds apart.
        doctor: What to type to look again.
    """
    for one in server.of_facts(spec, facts):
        yield _to_the_point(one, facts, live, doctor)
    if isinstance(live, Live):
        yield from rates.diagnose(live, facts.cli, doctor)
        yield from workers.diagnose(live, facts.cli)
        yield from jobs.diagnose(live, facts.cli)
        yield from disk.diagnose(live, facts.cli)
        config = {} if isinstance(facts.config, Unseen) else facts.config
        yield from disk.unsynced(live, config.get("appendfsync", ""), facts.cli)
        yield from memory.diagnose(live, facts.cli)
        yield from clients.diagnose(live, facts.cli)


def _to_the_point(
    one: Diagnosis, facts: ServerFacts, live: Live | Unseen, doctor: str
) -> Diagnosis:
    """Give a check's answer the next command that only a doctor knows."""
    if one.id == "memory.full" and isinstance(live, Live):
        return memory.emptied(memory.held_by(one, live), live, facts.cli)
    if one.id == "maxmemory.unset" and isinstance(live, Live):
        return memory.held_by(one, live)
    if one.id == "aof.write":
        do = (
            "restart nothing; mend the disk first: room, and I/O errors in its log; then, even "
            f"where writes come back by themselves, {doctor} --heal"
        )
        return replace(one, do=do)
    return one


def unseen(spec: Spec, facts: ServerFacts, live: Live | Unseen) -> Iterator[Unseen]:
    """Give what could not be seen of a server."""
    yield from server.unseen_facts(spec, facts)
    if isinstance(live, Unseen):
        yield from () if live == NO_LOOK else (live,)
        return
    for fact in (live.clients, live.queues, live.held):
        if isinstance(fact, Unseen):
            yield fact


def of_files(files: Files | NotVisible | Unseen, cli: str) -> Sequence[Diagnosis]:
    """Say what is wrong with a server's files, where they were seen."""
    return tuple(damage.diagnose(files, cli)) if isinstance(files, Files) else ()


def unseen_files(files: Files | NotVisible | Unseen) -> Iterator[Unseen]:
    """Give what could not be seen of the files; that they are elsewhere is no lack."""
    if isinstance(files, Unseen):
        yield files
    elif isinstance(files, Files) and files.unread:
        yield Unseen(
            f"{files.unread} bytes of {files.folder} were not read, for want of time: "
            "sturdis repair DATA --dry-run on a copy reads all"
        )
