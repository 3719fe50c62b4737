"""The PrometheusRule: when somebody should look, each alert with its runbook; docs/adr/0034."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sturdis.core import cluster, units
from sturdis.core import spec as specs
from sturdis.core.cluster import Manifest
from sturdis.core.render import metadata, promql
from sturdis.core.spec import Spec

RUNBOOKS = "docs/operations.md"
"""Where each alert has a section of its name."""

WINDOW = "10m"
"""How far back a counter is looked at, so that one burst is an alert that lasts to be seen."""

RESTARTS, RESTART_WINDOW = 3, "30m"
"""More restarts than this within this time are a loop: the kubelet's waits between restarts grow
to 5 minutes, so a loop makes about ten in that time, and planned restarts one or two."""

FREE_PERCENT = 20
"""Free part of the volume below which RedisVolumeFilling fires, in per cent: a judgement. A volume
of 3 times maxmemory, the least allowed, reaches it during a rewrite at full memory."""


@dataclass(frozen=True)
class Alert:
    """One alert: when it fires, after how many minutes of that, and what it says."""

    name: str
    expr: str
    minutes: int
    severity: Literal["critical", "warning"]
    summary: str
    description: str

    def rule(self) -> Manifest:
        """Give it as Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expr,
            **({"for": f"{self.minutes}m"} if self.minutes else {}),
            "labels": {"severity": self.severity},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook": f"{RUNBOOKS}#{self.name.lower()}",
            },
        }


def prometheus_rule(spec: Spec) -> Manifest:
    """Give the PrometheusRule with all alerts of the deployment."""
    group = {
        "name": f"{spec.namespace}.{spec.name}",
        "rules": [alert.rule() for alert in alerts(spec)],
    }
    return {
        "apiVersion": cluster.PROMETHEUS_RULE.api_version,
        "kind": cluster.PROMETHEUS_RULE.kind,
        "metadata": metadata.meta(spec, spec.name),
        "spec": {"groups": [group]},
    }


def alerts(spec: Spec) -> Iterator[Alert]:
    """Give the alerts of the deployment; those on queues only where queues are named."""
    where = f"{spec.namespace}/{spec.name}"
    yield from _serving(spec, where)
    yield from _connections(spec, where)
    yield from _append_only_file(spec, where)
    yield from _memory(spec, where)
    yield from _refusals(spec, where)
    yield _volume(spec, where)
    if spec.monitoring.queues:
        yield from _queues(spec, where)


def _serving(spec: Spec, where: str) -> Iterator[Alert]:
    up, loading = (promql.of(spec, f"redis_{one}") for one in ("up", "loading_dump_file"))
    yield Alert(
        # Without instance on either side: the wait goes on when a silent server's pod vanishes.
        "RedisDown",
        f"max by (namespace, job) ({up} == 0 or {loading} == 1) or absent({up})",
        5,
        "critical",
        f"{where} does not serve, or its exporter is gone",
        "For 5 minutes no scrape has seen the server answer and not load its data. No job is added "
        "and none is done, unless only the exporter is away.",
    )
    runs = f"last_over_time({promql.of(spec, 'redis_instance_info')}[{RESTART_WINDOW}])"
    yield Alert(
        "RedisRestartLoop",
        f"count by (namespace, job) (count by (namespace, job, run_id) ({runs})) > {RESTARTS + 1}",
        0,
        "critical",
        f"{where} starts over and over",
        f"Different runs of the server seen within {RESTART_WINDOW}: {{{{ $value }}}}. "
        "What ends it will not pass by itself.",
    )


def _connections(spec: Spec, where: str) -> Iterator[Alert]:
    most = spec.monitoring.thresholds.connections
    yield Alert(
        "RedisConnectionsHigh",
        f"{promql.of(spec, 'redis_connected_clients')} > {most}",
        5,
        "warning",
        f"{where} has more than {most} connections",
        "Connections: {{ $value }}. A queue opens one and a worker two; a number that only grows "
        "is a leak.",
    )
    yield Alert(
        "RedisConnectionsRejected",
        _rises(promql.of(spec, "redis_rejected_connections_total")),
        0,
        "warning",
        f"{where} turns connections away",
        "Connections refused because of maxclients: about {{ $value | humanize }} within "
        f"{WINDOW}. Workers among them do no job.",
    )


def _append_only_file(spec: Spec, where: str) -> Iterator[Alert]:
    yield Alert(
        "RedisAofDisabled",
        f"{promql.of(spec, 'redis_aof_enabled')} == 0",
        1,
        "critical",
        f"{where} keeps no append-only file",
        "Somebody switched appendonly off: a restart loses every write since.",
    )
    yield Alert(
        "RedisAofWriteFailing",
        f"{promql.of(spec, 'redis_aof_last_write_status')} == 0",
        1,
        "critical",
        f"{where} cannot write its append-only file and refuses writes (MISCONF)",
        "The last write or fsync failed. The server's memory is the only good copy: do not "
        "restart it before the runbook says so.",
    )
    yield Alert(
        "RedisAofRewriteFailing",
        f"{promql.of(spec, 'redis_aof_last_bgrewrite_status')} == 0",
        5,
        "warning",
        f"{where} cannot rewrite its append-only file",
        "The last rewrite failed. The file grows until one succeeds or the volume is full.",
    )
    yield Alert(
        "RedisAofFsyncDelayed",
        _rises(promql.of(spec, "redis_aof_delayed_fsync")),
        0,
        "warning",
        f"{where} waits for its disk",
        "Writes held up by an fsync that took over 2 s: about {{ $value | humanize }} within "
        f"{WINDOW}. A crash meanwhile loses up to 2 s, or the longest fsync plus 1 s.",
    )


def _memory(spec: Spec, where: str) -> Iterator[Alert]:
    used, most = (promql.of(spec, f"redis_memory_{one}_bytes") for one in ("used", "max"))
    percent = spec.monitoring.thresholds.memory_percent
    yield Alert(
        # Division by a limit of 0 is +Inf, which is above any threshold.
        "RedisMemoryHigh",
        f"{used} / ({most} > 0) > {percent / 100}",
        5,
        "warning",
        f"{where} uses more than {percent} % of maxmemory",
        "Used: {{ $value | humanizePercentage }} of maxmemory, which is "
        f"{units.human_bytes(specs.maxmemory(spec))} in the spec. At 100 % every job that is added "
        "is refused.",
    )
    yield Alert(
        "RedisMaxmemoryUnset",
        f"{most} == 0",
        5,
        "warning",
        f"{where} has no maxmemory",
        "Nothing stops its growth but the kernel, which kills the server at the memory limit.",
    )
    yield Alert(
        "RedisKeysEvicted",
        _rises(promql.of(spec, "redis_evicted_keys_total")),
        0,
        "critical",
        f"{where} drops keys to stay below maxmemory",
        "Keys evicted: about {{ $value | humanize }} within "
        f"{WINDOW}. Jobs may be among "
        "them: maxmemory-policy is no longer noeviction.",
    )


def _refusals(spec: Spec, where: str) -> Iterator[Alert]:
    yield Alert(
        "RedisOutOfMemoryErrors",
        _appears(promql.of(spec, "redis_errors_total", 'err="OOM"')),
        0,
        "critical",
        f"{where} refuses writes: it is at maxmemory",
        "OOM errors: about {{ $value | humanize }}. Jobs that are added now are lost unless the "
        "producer tries again.",
    )
    yield Alert(
        "RedisReadOnlyErrors",
        _appears(promql.of(spec, "redis_errors_total", 'err="READONLY"')),
        0,
        "critical",
        f"{where} refuses writes: it is a replica",
        "READONLY errors: about {{ $value | humanize }}. Somebody made it follow another server.",
    )


def _volume(spec: Spec, where: str) -> Alert:
    free, size = (
        promql.of_volume(spec, f"kubelet_volume_stats_{one}_bytes")
        for one in ("available", "capacity")
    )
    return Alert(
        "RedisVolumeFilling",
        f"{free} / {size} < {FREE_PERCENT / 100}",
        5,
        "warning",
        f"the volume of {where} has less than {FREE_PERCENT} % left",
        "Free: {{ $value | humanizePercentage }} of the claim "
        f"{metadata.claim_name(spec)}. When it is full, writes are refused.",
    )


def _queues(spec: Spec, where: str) -> Iterator[Alert]:
    most = spec.monitoring.thresholds.waiting_jobs
    yield Alert(
        "RedisQueueDepthHigh",
        f"{promql.waiting_jobs(spec)} > {most}",
        5,
        "warning",
        f"more than {most} jobs wait in a queue of {where}",
        "Jobs that wait in {{ $labels.queue }}: {{ $value }}, those with a priority and those of "
        "a paused queue included.",
    )
    yield Alert(
        "RedisQueueDepthUnknown",
        f"{promql.of(spec, 'redis_script_result')} == 0",
        5,
        "warning",
        f"the jobs that wait in {where} cannot be counted",
        "The script that counts them fails, so RedisQueueDepthHigh stays silent.",
    )


def _rises(counter: str) -> str:
    return f"increase({counter}[{WINDOW}]) > 0"


def _appears(counter: str) -> str:
    """See a counter rise that does not exist before the first error of its kind.

    `increase` needs two values: of a first burst it sees nothing.
    """
    return f"{_rises(counter)} or ({counter} unless {counter} offset {WINDOW}) > 0"
