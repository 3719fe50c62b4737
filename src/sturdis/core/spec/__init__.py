"""The spec: what one deployment is. `Spec()` is the deployment of the README.

Every field's `description` states its unit, its default, the reason and where that comes from;
`sturdis spec show` prints them and docs/spec.md is held against them by a test. A sturdis.yaml
holds one spec and its variations: core/spec/file.
"""

from typing import Annotated, Literal

from msgspec import Meta

from sturdis.core import units
from sturdis.core.spec import forms
from sturdis.core.spec.cluster import IMAGES, Access, Engine, GitOps, Storage, Tools
from sturdis.core.spec.forms import Bytes, Image, Section

MAXMEMORY_PERCENT = 60
"""Share of the memory limit given to data, in per cent.

A rewrite forks: pages written meanwhile exist twice, in the worst case all of them. The rest of
the limit is for that; docs/adr/0009.
"""


class Memory(Section, frozen=True):
    """How much memory the server may use."""

    limit: Annotated[
        Bytes,
        Meta(
            description="Memory limit of the container, in bytes (1Gi, 512Mi, 1e9), at least "
            "32Mi. Default 1Gi: room for about 600 MiB of jobs and cache."
        ),
    ] = "1Gi"
    maxmemory: Annotated[
        Bytes | None,
        Meta(
            description="Bytes of data at which writes are refused, at least 4Mi. Default: 60 % of "
            "the limit, the rest is for a rewrite's copy-on-write (docs/adr/0009); more than 90 % "
            "is refused."
        ),
    ] = None
    maxmemory_policy: Annotated[
        Literal["noeviction"],
        Meta(
            description="What happens at maxmemory. Only noeviction, the default: BullMQ's queues "
            "are right only where no key is ever evicted (BullMQ, Going to production)."
        ),
    ] = "noeviction"


class Persistence(Section, frozen=True):
    """What reaches the disk, and when."""

    fsync: Annotated[
        Literal["everysec", "always"],
        Meta(
            description="When the append-only file is forced to disk. Default everysec: a killed "
            "process loses nothing while no fsync runs; then, and at a power cut, at most 2 s, or "
            "the longest fsync plus 1 s. `always`: every write waits for the disk (docs/adr/0008)."
        ),
    ] = "everysec"


class Exporter(Section, frozen=True):
    """The metrics endpoint, named as oliver006/redis_exporter names it."""

    image: Annotated[
        Image,
        Meta(
            description="Container image of the exporter beside the server, with a tag or digest "
            "that stays. Default: the release whose metrics ours are held against."
        ),
    ] = "oliver006/redis_exporter:v1.69.0"
    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="TCP port of /metrics; 0 takes a free one, on this machine alone. "
            "Default 9121, redis_exporter's own.",
        ),
    ] = 9121


class Thresholds(Section, frozen=True):
    """When an alert fires."""

    connections: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="RedisConnectionsHigh: above this many connections for 5 minutes. "
            "Default 100: BullMQ opens one or two per queue and worker; more is a leak.",
        ),
    ] = 100
    memory_percent: Annotated[
        int,
        Meta(
            ge=1,
            le=99,
            description="RedisMemoryHigh: above this share of maxmemory, in per cent, for "
            "5 minutes. Default 80: time to act before writes are refused.",
        ),
    ] = 80
    waiting_jobs: Annotated[
        int,
        Meta(
            ge=1,
            le=units.MAX,
            description="Queue depth: above this many waiting jobs in one of `queues` for "
            "5 minutes. Default 1000, a judgement: set it to what your workers clear in time.",
        ),
    ] = 1000


class Monitoring(Section, frozen=True):
    """How the deployment is watched."""

    exporter: Annotated[Exporter, Meta(description="The metrics endpoint.")] = Exporter()
    service_monitor: Annotated[
        bool,
        Meta(
            description="Whether Prometheus' operator scrapes the exporter, every 30 seconds. "
            "Default true."
        ),
    ] = True
    rules: Annotated[
        bool,
        Meta(description="Whether the alerts are installed, as a PrometheusRule. Default true."),
    ] = True
    dashboard: Annotated[
        bool, Meta(description="Whether the Grafana dashboard is installed. Default true.")
    ] = True
    queues: Annotated[
        tuple[Annotated[str, Meta(pattern=forms.QUEUE_NAME, max_length=256)], ...],
        Meta(
            max_length=1000,
            description="BullMQ queues whose depth is watched, by name. Default none: an alert "
            "on a queue that does not exist never fires.",
        ),
    ] = ()
    thresholds: Annotated[Thresholds, Meta(description="When an alert fires.")] = Thresholds()


class Spec(Section, frozen=True):
    """One whole deployment. `Spec()` is the one of the README."""

    name: Annotated[
        str,
        Meta(
            pattern=forms.SHORT_NAME,
            description="Name of the deployment: a DNS label of at most 52 characters, which "
            "leaves room for Kubernetes' suffixes. Default redis: clients find it at "
            "redis.redis.svc.cluster.local; on this machine it names the data folder.",
        ),
    ] = "redis"
    namespace: Annotated[
        str,
        Meta(
            pattern=forms.DNS_LABEL,
            description="Namespace of the deployment: a DNS label. Default redis: part of the "
            "address that clients are given.",
        ),
    ] = "redis"
    engine: Annotated[Engine, Meta(description="Which server runs in the cluster.")] = Engine()
    memory: Annotated[Memory, Meta(description="How much memory the server may use.")] = Memory()
    persistence: Annotated[Persistence, Meta(description="What reaches the disk, and when.")] = (
        Persistence()
    )
    storage: Annotated[
        Storage, Meta(description="The volume of the append-only file, in a cluster.")
    ] = Storage()
    monitoring: Annotated[Monitoring, Meta(description="How the deployment is watched.")] = (
        Monitoring()
    )
    access: Annotated[Access, Meta(description="Who may connect.")] = Access()
    gitops: Annotated[GitOps, Meta(description="How Argo CD finds the deployment.")] = GitOps()
    tools: Annotated[Tools, Meta(description="Sturdis itself, in a cluster.")] = Tools()


def memory_limit(spec: Spec) -> int:
    """Memory limit of the container, in bytes."""
    return units.parse_bytes(spec.memory.limit)


def maxmemory(spec: Spec) -> int:
    """Bytes of data at which the server refuses writes: as written, else 60 % of the limit."""
    if spec.memory.maxmemory is not None:
        return units.parse_bytes(spec.memory.maxmemory)
    return memory_limit(spec) * MAXMEMORY_PERCENT // 100


def storage_size(spec: Spec) -> int:
    """Size of the volume, in bytes."""
    return units.parse_bytes(spec.storage.size)


def engine_image(spec: Spec) -> str:
    """Container image of the server: as written, else the tested one of its kind."""
    return spec.engine.image or IMAGES[spec.engine.kind]
