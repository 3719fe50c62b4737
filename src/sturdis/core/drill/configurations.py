"""Configurations that a drill may run beside ours, to show what ours buys.

Each is what one server is given where nobody sets anything: of the plain deployment that many
start with, and of three Helm charts. What makes those charts more than one server is not run here:
replicas, Sentinel's failover, volumes. Settings are lines laid over the deployment's redis.conf, so
each states the server's own default wherever that is what it leaves in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Probe(Enum):
    """How a configuration tells whether its server is alive."""

    REPLY = "the reply is read: any is alive, MISCONF is told"
    PONG_OR_LOADING = "alive while it answers PONG or LOADING"
    EXIT_STATUS = "alive while `redis-cli ping` exits 0"
    NONE = "none"


SERVER_DEFAULTS: Mapping[str, str] = {
    "appendonly": "no",
    "aof-timestamp-enabled": "no",
    "save": "3600 1 300 100 60 10000",
    "maxmemory": "0",
    "maxmemory-policy": "noeviction",
    "tcp-keepalive": "300",
}
"""What a server does without a line, where the deployment's redis.conf has another: CONFIG GET of
Redis 7.0.15 and 8.0.2, Valkey 8.1.8 and 9.1.2, started with no file."""


@dataclass(frozen=True)
class Configuration:
    """One way to run a server. Settings are redis.conf's: name to arguments, between spaces."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """Laid over the deployment's; empty: the deployment itself."""
    guarded: bool = True
    """Whether the append-only file is cut at its last complete unit before each start."""
    liveness: Probe = Probe.REPLY


DEPLOYMENT = Configuration("deployment")
"""`sturdis render` without a spec."""

SEED = Configuration(
    "seed",
    {**SERVER_DEFAULTS, "appendonly": "yes", "appendfsync": "everysec"},
    guarded=False,
    liveness=Probe.NONE,
)
"""The plain StatefulSet of docs/adr/0005: three arguments to redis-server, no file, no probes.

`--appendonly yes --appendfsync everysec --maxmemory-policy noeviction`, and no more."""

VALKEY_HELM = Configuration(
    "valkey-helm",
    SERVER_DEFAULTS,
    guarded=False,
    liveness=Probe.EXIT_STATUS,
)
"""Read in valkey-io/valkey-helm 0.11.0, values.yaml and templates/init_config.yaml.

Its init script writes port, protected-mode, bind and dir; `valkeyConfig` is empty. It probes with
`valkey-cli ping`, and has no readiness probe unless asked for. Not run here is its volume:
dataStorage is off, so a pod that is deleted takes all data with it."""

REDIS_HA = Configuration(
    "redis-ha",
    {
        **SERVER_DEFAULTS,
        "save": "900 1",
        "maxmemory-policy": "volatile-lru",
        "repl-diskless-sync": "yes",
        "rdbcompression": "yes",
        "rdbchecksum": "yes",
    },
    guarded=False,
    liveness=Probe.PONG_OR_LOADING,
)
"""Read in DandyDeveloper/charts redis-ha 4.39.0, values.yaml `redis.config` and
templates/_configs.tpl.

Snapshots after 900 s, no append-only file. Its probes read the reply: a server that refuses writes
(MISCONF) is not alive, and is started again after five probes, 75 s; what it had not saved is gone
then. Not run here are its two replicas and Sentinel's failover, and with them min-replicas-to-write
1, by which a single server would refuse all writes."""

GROUNDHOG2K = Configuration(
    "groundhog2k",
    SERVER_DEFAULTS,
    guarded=False,
    liveness=Probe.EXIT_STATUS,
)
"""Read in groundhog2k/helm-charts redis 0.7, values.yaml and templates/scripts.yaml.

Its init script writes port, protected-mode, bind and dir; `redisConfig` is empty. All three probes
are `redis-cli ping`. As settings of one server it is the same as valkey-helm. Not run here is its
volume: no size is asked for, so a pod that is deleted takes all data with it."""

ALL = (DEPLOYMENT, SEED, VALKEY_HELM, REDIS_HA, GROUNDHOG2K)
BY_NAME: Mapping[str, Configuration] = {one.name: one for one in ALL}
