"""The Grafana dashboard of one deployment, as the ConfigMap that Grafana's sidecar looks for."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from sturdis.core.cluster import Manifest
from sturdis.core.render import metadata, promql
from sturdis.core.render.service_monitor import INTERVAL
from sturdis.core.spec import Spec

LABEL = {"grafana_dashboard": "1"}
"""By which the sidecar of Grafana's and Prometheus' charts finds dashboards."""

SCHEMA = 39
"""Version of the dashboard's model: of Grafana 11, which newer ones read too."""

WIDTH, HEIGHT = 8, 7
"""Of a panel: three are a row of Grafana's 24 columns."""

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
PER_SECOND = "[$__rate_interval]"


@dataclass(frozen=True)
class Panel:
    """One graph: what it shows, in which of Grafana's units, each query with its legend."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    """Legend and PromQL."""


def dashboard(spec: Spec) -> Manifest:
    """Give the ConfigMap; its text is the same for the same spec."""
    text = json.dumps(model(spec), indent=2, sort_keys=True)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata.meta(spec, f"{spec.name}-dashboard", more_labels=LABEL),
        # The sidecar puts the files of all namespaces into one folder.
        "data": {f"{spec.namespace}-{spec.name}.json": f"{text}\n"},
    }


def model(spec: Spec) -> Manifest:
    """Give the dashboard as Grafana's JSON."""
    where = f"{spec.namespace}/{spec.name}"
    digest = hashlib.sha256(where.encode()).hexdigest()[:12]
    return {
        "uid": f"sturdis-{digest}",
        "title": f"Redis {where}",
        "tags": ["redis", "bullmq", metadata.MANAGER],
        "schemaVersion": SCHEMA,
        "editable": False,
        "refresh": INTERVAL,
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_datasource()]},
        "annotations": {"list": []},
        "panels": [_drawn(panel, place) for place, panel in enumerate(panels(spec))],
    }


def panels(spec: Spec) -> Iterator[Panel]:
    """Give the panels in their order; that of queues only where queues are named."""
    yield from _server(spec)
    yield from _work(spec)
    yield from _append_only_file(spec)
    if spec.monitoring.queues:
        yield Panel("Jobs that wait", "short", (("{{queue}}", promql.waiting_jobs(spec)),))


def _server(spec: Spec) -> Iterator[Panel]:
    yield Panel(
        "Up",
        "short",
        (
            ("answers", promql.of(spec, "redis_up")),
            ("loads its data", promql.of(spec, "redis_loading_dump_file")),
        ),
    )
    yield Panel("Time since the start", "s", (_shown(spec, "redis_uptime_in_seconds"),))
    yield Panel(
        "Memory",
        "bytes",
        (
            ("used", promql.of(spec, "redis_memory_used_bytes")),
            ("maxmemory", promql.of(spec, "redis_memory_max_bytes")),
            ("held by the process", promql.of(spec, "redis_memory_used_rss_bytes")),
        ),
    )


def _work(spec: Spec) -> Iterator[Panel]:
    yield Panel(
        "Commands per second", "ops", (_rate(spec, "redis_commands_processed_total", "commands"),)
    )
    seconds = promql.of(spec, "redis_commands_duration_seconds_total")
    yield Panel(
        "Time by command",
        "percentunit",
        (("{{cmd}}", f"topk(5, rate({seconds}{PER_SECOND}))"),),
    )
    yield Panel(
        "Connections",
        "short",
        (
            ("connected", promql.of(spec, "redis_connected_clients")),
            ("waiting in a blocking command", promql.of(spec, "redis_blocked_clients")),
            _rate(spec, "redis_rejected_connections_total", "rejected per second"),
        ),
    )
    errors = promql.of(spec, "redis_errors_total")
    yield Panel("Errors per second", "ops", (("{{err}}", f"rate({errors}{PER_SECOND})"),))
    yield Panel(
        "Keys",
        "short",
        (
            ("{{db}}", f"{promql.of(spec, 'redis_db_keys')} > 0"),
            ("{{db}} with an expiry", f"{promql.of(spec, 'redis_db_keys_expiring')} > 0"),
            _rate(spec, "redis_evicted_keys_total", "evicted per second"),
        ),
    )
    yield Panel(
        "Processor",
        "percentunit",
        (
            _rate(spec, "redis_cpu_user_seconds_total", "the server"),
            _rate(spec, "redis_cpu_sys_seconds_total", "the system for it"),
            _rate(spec, "redis_cpu_user_children_seconds_total", "rewrites"),
        ),
    )


def _append_only_file(spec: Spec) -> Iterator[Panel]:
    yield Panel(
        "Append-only file",
        "bytes",
        (
            ("size", promql.of(spec, "redis_aof_current_size_bytes")),
            ("after the last rewrite", promql.of(spec, "redis_aof_base_size_bytes")),
        ),
    )
    yield Panel(
        "Its health: 1 is well",
        "short",
        (
            ("last write", promql.of(spec, "redis_aof_last_write_status")),
            ("last rewrite", promql.of(spec, "redis_aof_last_bgrewrite_status")),
            ("a rewrite runs", promql.of(spec, "redis_aof_rewrite_in_progress")),
        ),
    )
    delayed = promql.of(spec, "redis_aof_delayed_fsync")
    yield Panel(
        "Waiting for the disk",
        "short",
        (
            ("writes held up", f"increase({delayed}{PER_SECOND})"),
            ("fsyncs that wait", promql.of(spec, "redis_aof_pending_bio_fsync")),
        ),
    )
    yield Panel(
        "Volume",
        "bytes",
        (
            ("used", promql.of_volume(spec, "kubelet_volume_stats_used_bytes")),
            ("size", promql.of_volume(spec, "kubelet_volume_stats_capacity_bytes")),
        ),
    )


def _shown(spec: Spec, metric: str) -> tuple[str, str]:
    return "{{instance}}", promql.of(spec, metric)


def _rate(spec: Spec, counter: str, legend: str) -> tuple[str, str]:
    return legend, f"rate({promql.of(spec, counter)}{PER_SECOND})"


def _drawn(panel: Panel, place: int) -> Manifest:
    row, column = divmod(place, 24 // WIDTH)
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {
                "refId": chr(ord("A") + position),
                "datasource": SOURCE,
                "expr": query,
                "legendFormat": legend,
            }
            for position, (legend, query) in enumerate(panel.queries)
        ],
    }


def _datasource() -> Manifest:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
    }
