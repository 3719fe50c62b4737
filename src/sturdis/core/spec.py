"""The spec: what a `sturdis.yaml` may say. Its defaults are the deployment itself.

Every field's `description` states its unit, its default's reason and where that comes from;
`sturdis spec show` prints them and docs/spec.md is held against them by a test.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sturdis.core import units

Bytes = Annotated[str, Meta(pattern=units.QUANTITY)] | Annotated[int, Meta(ge=0)]
"""A quantity as it is written in the spec; `units.parse_bytes` reads it."""

MAXMEMORY_PERCENT = 60
"""Share of the memory limit given to data, in per cent.

A rewrite forks: pages written meanwhile exist twice, in the worst case all of them. The rest of
the limit is for that; docs/adr/0009.
"""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A mapping of the spec: unknown keys are refused, values never change."""


class Memory(Section, frozen=True):
    """How much memory the server may use."""

    limit: Annotated[
        Bytes,
        Meta(
            description="Memory limit of the container, in bytes (1Gi, 512Mi, 1e9). "
            "Default 1Gi: room for about 600 MiB of jobs and cache."
        ),
    ] = "1Gi"
    maxmemory: Annotated[
        Bytes | None,
        Meta(
            description="Bytes of data at which writes are refused. Default: 60 % of the limit, "
            "the rest is for a rewrite's copy-on-write (docs/adr/0009)."
        ),
    ] = None


class Persistence(Section, frozen=True):
    """What reaches the disk, and when."""

    fsync: Annotated[
        Literal["everysec", "always"],
        Meta(
            description="When the append-only file is forced to disk. Default everysec: a killed "
            "process loses nothing on a disk that keeps up, a power cut at most 2 s, or the "
            "longest fsync plus 1 s. `always`: every write waits for the disk (docs/adr/0008)."
        ),
    ] = "everysec"


class Exporter(Section, frozen=True):
    """The metrics endpoint, named as oliver006/redis_exporter names it."""

    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="TCP port of /metrics; 0 takes a free one. "
            "Default 9121, redis_exporter's own.",
        ),
    ] = 9121


class Monitoring(Section, frozen=True):
    """How the deployment is watched."""

    exporter: Annotated[Exporter, Meta(description="The metrics endpoint.")] = Exporter()


class Spec(Section, frozen=True):
    """The whole deployment. `Spec()` is the one of the README."""

    name: Annotated[
        str,
        Meta(
            pattern="^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$",
            description="Name of the deployment: a DNS label of at most 52 characters, which "
            "leaves room for Kubernetes' suffixes. Default redis: clients find it at "
            "redis.redis.svc.cluster.local; on this machine it names the data folder.",
        ),
    ] = "redis"
    memory: Annotated[Memory, Meta(description="How much memory the server may use.")] = Memory()
    persistence: Annotated[Persistence, Meta(description="What reaches the disk, and when.")] = (
        Persistence()
    )
    monitoring: Annotated[Monitoring, Meta(description="How the deployment is watched.")] = (
        Monitoring()
    )


def memory_limit(spec: Spec) -> int:
    """Memory limit of the container, in bytes."""
    return units.parse_bytes(spec.memory.limit)


def maxmemory(spec: Spec) -> int:
    """Bytes of data at which the server refuses writes: as written, else 60 % of the limit."""
    if spec.memory.maxmemory is not None:
        return units.parse_bytes(spec.memory.maxmemory)
    return memory_limit(spec) * MAXMEMORY_PERCENT // 100
