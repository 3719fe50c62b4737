"""A spec to redis.conf, every line with its reason and source above it.

The same function writes the file that `up` runs with on this machine and the one for a cluster;
`Place` is all that differs.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

from sturdis.core import spec as specs
from sturdis.core import units

SHUTDOWN_TIMEOUT = 10
"""Seconds that SIGTERM waits for replicas that lag; the server's own default."""

TCP_KEEPALIVE = 60
"""Seconds of silence before the kernel asks whether a peer is still there."""


COMMENT_WIDTH = 96
"""Longest line of a comment, in characters."""


@dataclass(frozen=True)
class Place:
    """Where a server runs: its data's folder, what it listens on, and what clients must know."""

    folder: str
    bind: str
    """Addresses, between spaces."""
    port: int
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Directive:
    """One line of redis.conf: a setting with its arguments, why it is so, and who says so."""

    name: str
    arguments: tuple[str, ...]
    reason: str
    source: str

    def __str__(self) -> str:
        comment = [*textwrap.wrap(self.reason, COMMENT_WIDTH), f"Source: {self.source}"]
        return "".join(f"# {text}\n" for text in comment) + f"{self.line}\n"

    @property
    def line(self) -> str:
        """The setting as the server reads it."""
        return " ".join((self.name, *map(_quoted, self.arguments)))


def redis_conf(spec: specs.Spec, place: Place) -> str:
    """Give the text of redis.conf for `spec` at `place`, the same bytes for the same values."""
    head = "# Written by sturdis from the spec; edit the spec, not this file.\n"
    return "\n".join((head, *map(str, directives(spec, place))))


def directives(spec: specs.Spec, place: Place) -> Iterator[Directive]:
    """Give the settings of `spec` at `place` in the order of the file."""
    yield from _network(place)
    yield from _append_only_file(spec, place)
    yield from _format_of_the_file()
    yield from _snapshots_and_shutdown()
    yield from _memory(spec)


def _network(place: Place) -> Iterator[Directive]:
    yield Directive(
        "bind",
        tuple(place.bind.split()),
        "What the server listens on: this machine alone, unless it runs in a pod.",
        "redis.conf of Redis 7.0, NETWORK",
    )
    yield Directive(
        "port",
        (str(place.port),),
        "BullMQ's clients expect 6379.",
        "IANA, service redis",
    )
    yield Directive(
        "protected-mode",
        ("no",),
        "Without a password it would refuse every other pod; who may connect is decided by the "
        "bind above, by a password, or by a NetworkPolicy.",
        "docs/adr/0011",
    )
    if place.password is not None:
        yield Directive(
            "requirepass",
            (place.password,),
            "It listens beyond this machine, or was asked to: who connects must know the password.",
            "docs/adr/0011",
        )
    yield Directive(
        "timeout",
        ("0",),
        "BullMQ's workers block on BZPOPMIN; an idle connection is a healthy one.",
        "BullMQ, Going to production",
    )
    yield Directive(
        "tcp-keepalive",
        (str(TCP_KEEPALIVE),),
        "Workers on a node that vanished are noticed after two minutes, not after ten.",
        "docs/adr/0008",
    )


def _append_only_file(spec: specs.Spec, place: Place) -> Iterator[Directive]:
    yield Directive(
        "dir",
        (place.folder,),
        "Holds appendonlydir/, the append-only file in its parts, led by a manifest.",
        "Redis persistence guide, Append-only file",
    )
    yield Directive(
        "appendonly",
        ("yes",),
        "Every acknowledged write is in the append-only file: a killed process loses nothing "
        "while no fsync runs.",
        "docs/adr/0008, docs/adr/0021",
    )
    yield Directive(
        "appendfsync",
        (spec.persistence.fsync,),
        _fsync_reason(spec.persistence.fsync),
        "docs/adr/0008; spec persistence.fsync",
    )
    yield Directive(
        "no-appendfsync-on-rewrite",
        ("no",),
        "Yes would stop fsyncing while a rewrite runs and widen the window without saying so.",
        "redis.conf of Redis 7.0, APPEND ONLY MODE",
    )


def _format_of_the_file() -> Iterator[Directive]:
    yield Directive(
        "aof-use-rdb-preamble",
        ("yes",),
        "The base as RDB: checksummed, compact, fast to load.",
        "docs/adr/0008",
    )
    yield Directive(
        "aof-timestamp-enabled",
        ("yes",),
        "A mark per second of writes: tells people when; never used as an index.",
        "docs/adr/0008",
    )


def _snapshots_and_shutdown() -> Iterator[Directive]:
    yield Directive(
        "save",
        ("",),
        "No RDB snapshots beside the append-only file: each would fork and copy again, and a "
        "failed one would stop writes.",
        "docs/adr/0008",
    )
    yield Directive(
        "shutdown-timeout",
        (str(SHUTDOWN_TIMEOUT),),
        "Seconds that SIGTERM waits for lagging replicas; whoever stops the server waits longer.",
        "redis.conf of Redis 7.0, GENERAL",
    )


def _memory(spec: specs.Spec) -> Iterator[Directive]:
    data, limit = specs.maxmemory(spec), specs.memory_limit(spec)
    yield Directive(
        "maxmemory",
        (str(data),),
        f"{units.human_bytes(data)} of data in a limit of {units.human_bytes(limit)}: the rest is "
        "for copy-on-write during a rewrite. Without it noeviction never acts and the kernel "
        "kills the server instead.",
        "docs/adr/0009; spec memory.limit, memory.maxmemory",
    )
    yield Directive(
        "maxmemory-policy",
        ("noeviction",),
        "BullMQ's keys must never be evicted: at the limit writes are refused, not jobs dropped.",
        "BullMQ, Going to production; docs/adr/0008",
    )


def _fsync_reason(fsync: str) -> str:
    if fsync == "always":
        return "Every write waits for the disk: a power cut costs what the disk itself forgets."
    return "A power cut loses at most 2 s of writes, or the longest fsync plus 1 s if that is more."


def _quoted(argument: str) -> str:
    """Write an argument so that the server's splitter gives it back unchanged."""
    plain = argument and all(char.isalnum() or char in "./_:*-" for char in argument)
    if plain and argument.isascii():
        return argument
    escapes = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
    return '"' + "".join(escapes.get(char, char) for char in argument) + '"'
