"""Metrics of a server, named, labelled and valued as oliver006/redis_exporter 1.69 does.

A test holds every one of them against that exporter, on every server of the matrix.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sturdis.core import info as infos
from sturdis.core.metrics.sample import Kind, Metric, Sample

SECTIONS = (
    "server", "clients", "memory", "persistence", "stats", "replication", "cpu", "commandstats",
    "errorstats", "keyspace",
)  # fmt: skip
"""The sections of `INFO` that are asked for: without its histograms of latency."""


@dataclass(frozen=True)
class Field:
    """A metric that is one field of `INFO`, `per` so many of its units."""

    field: str
    metric: Metric
    per: int = 1


def _gauge(field: str, name: str, meaning: str, *, per: int = 1) -> Field:
    return _field("gauge", field, name, meaning, per)


def _counter(field: str, name: str, meaning: str, *, per: int = 1) -> Field:
    return _field("counter", field, name, meaning, per)


def _field(kind: Kind, field: str, name: str, meaning: str, per: int) -> Field:
    return Field(field, Metric(f"redis_{name}", kind, meaning), per)


MICROSECONDS = 1_000_000
MILLISECONDS = 1_000

UP = Metric("redis_up", "gauge", "1 when the server answered this scrape, else 0.")

FIELDS = (
    _gauge("uptime_in_seconds", "uptime_in_seconds", "Seconds since the server started."),
    _gauge("process_id", "process_id", "Process id of the server."),
    _gauge("connected_clients", "connected_clients", "Client connections, without replicas'."),
    _gauge("blocked_clients", "blocked_clients", "Clients waiting in a blocking command."),
    _gauge("maxclients", "max_clients", "Client connections at which more are rejected."),
    _gauge("used_memory", "memory_used_bytes", "Bytes allocated by the server."),
    _gauge(
        "maxmemory",
        "memory_max_bytes",
        "Bytes of data at which writes are refused; 0 means no limit.",
    ),
    _gauge("used_memory_rss", "memory_used_rss_bytes", "Bytes of memory that the process holds."),
    _gauge("used_memory_peak", "memory_used_peak_bytes", "Most bytes ever allocated."),
    _gauge("used_memory_dataset", "memory_used_dataset_bytes", "Bytes of the data itself."),
    _gauge("used_memory_overhead", "memory_used_overhead_bytes", "Bytes of all but the data."),
    _gauge("used_memory_startup", "memory_used_startup_bytes", "Bytes allocated when empty."),
    _gauge("used_memory_lua", "memory_used_lua_bytes", "Bytes used by the Lua engine."),
    _gauge("mem_fragmentation_ratio", "mem_fragmentation_ratio", "Bytes held per byte allocated."),
    _gauge("mem_fragmentation_bytes", "mem_fragmentation_bytes", "Bytes held beyond those."),
    _gauge("allocator_frag_ratio", "allocator_frag_ratio", "The allocator's own fragmentation."),
    _gauge(
        "mem_not_counted_for_evict",
        "mem_not_counted_for_eviction_bytes",
        "Bytes that do not count against the limit: buffers of the append-only file, replicas'.",
    ),
    _gauge("mem_clients_normal", "mem_clients_normal", "Bytes of the clients' buffers."),
    _gauge("lazyfree_pending_objects", "lazyfree_pending_objects", "Objects still to be freed."),
    _gauge("loading", "loading_dump_file", "1 while the data is loaded, else 0."),
    _gauge("aof_enabled", "aof_enabled", "1 when the append-only file is on, else 0."),
    _gauge("aof_rewrite_in_progress", "aof_rewrite_in_progress", "1 during a rewrite, else 0."),
    _gauge("aof_rewrite_scheduled", "aof_rewrite_scheduled", "1 when a rewrite waits, else 0."),
    _gauge(
        "aof_last_rewrite_time_sec",
        "aof_last_rewrite_duration_sec",
        "Seconds that the last rewrite took; -1: none yet.",
    ),
    _gauge(
        "aof_current_rewrite_time_sec",
        "aof_current_rewrite_duration_sec",
        "Seconds since the rewrite in progress began; -1: none.",
    ),
    _gauge(
        "aof_last_bgrewrite_status",
        "aof_last_bgrewrite_status",
        "1 when the last rewrite went well.",
    ),
    _gauge(
        "aof_last_write_status",
        "aof_last_write_status",
        "1 when the last write to the file went well.",
    ),
    _gauge("aof_last_cow_size", "aof_last_cow_size_bytes", "Bytes copied during the last rewrite."),
    _gauge("aof_current_size", "aof_current_size_bytes", "Bytes of the append-only file."),
    _gauge("aof_base_size", "aof_base_size_bytes", "Bytes of it after the last start or rewrite."),
    _gauge("aof_pending_rewrite", "aof_pending_rewrite", "1 when a rewrite follows the save."),
    _gauge("aof_buffer_length", "aof_buffer_length", "Bytes not yet written to the file."),
    _gauge("aof_pending_bio_fsync", "aof_pending_bio_fsync", "Fsyncs that wait for the disk."),
    _gauge("aof_delayed_fsync", "aof_delayed_fsync", "Writes that an unfinished fsync held up."),
    _gauge("rdb_changes_since_last_save", "rdb_changes_since_last_save", "Writes since a save."),
    _gauge("rdb_bgsave_in_progress", "rdb_bgsave_in_progress", "1 while a snapshot is saved."),
    _gauge(
        "rdb_last_save_time", "rdb_last_save_timestamp_seconds", "Unix time of the last snapshot."
    ),
    _gauge(
        "rdb_last_bgsave_status", "rdb_last_bgsave_status", "1 when the last snapshot went well."
    ),
    _gauge(
        "rdb_last_bgsave_time_sec",
        "rdb_last_bgsave_duration_sec",
        "Seconds that the last snapshot took; -1: none yet.",
    ),
    _gauge(
        "latest_fork_usec", "latest_fork_seconds", "Seconds of the last fork.", per=MICROSECONDS
    ),
    _counter("total_connections_received", "connections_received_total", "Connections accepted."),
    _counter("rejected_connections", "rejected_connections_total", "Connections over the limit."),
    _counter(
        "total_commands_processed",
        "commands_processed_total",
        "Commands processed since the server started.",
    ),
    _counter("total_net_input_bytes", "net_input_bytes_total", "Bytes received."),
    _counter("total_net_output_bytes", "net_output_bytes_total", "Bytes sent."),
    _counter("expired_keys", "expired_keys_total", "Keys whose time was over."),
    _counter("evicted_keys", "evicted_keys_total", "Keys dropped to stay below the limit."),
    _counter("keyspace_hits", "keyspace_hits_total", "Reads that found their key."),
    _counter("keyspace_misses", "keyspace_misses_total", "Reads that found none."),
    _gauge("connected_slaves", "connected_slaves", "Replicas connected."),
    _gauge("master_repl_offset", "master_repl_offset", "Bytes written for replicas so far."),
    _gauge(
        "repl_backlog_size", "replication_backlog_bytes", "Bytes kept for replicas to catch up."
    ),
    _counter("used_cpu_sys", "cpu_sys_seconds_total", "Seconds of the processor, for the system."),
    _counter("used_cpu_user", "cpu_user_seconds_total", "Seconds of the processor, as a program."),
    _counter("used_cpu_sys_children", "cpu_sys_children_seconds_total", "The same of its forks."),
    _counter("used_cpu_user_children", "cpu_user_children_seconds_total", "The same of its forks."),
)
"""The metrics that are one field of `INFO`."""

START_TIME = Metric(
    "redis_start_time_seconds", "gauge", "Unix time at which the server started, to the second."
)
DB_KEYS = Metric("redis_db_keys", "gauge", "Keys of a database.", ("db",))
DB_KEYS_EXPIRING = Metric(
    "redis_db_keys_expiring", "gauge", "Keys of a database that have an expiry.", ("db",)
)
DB_TTL = Metric(
    "redis_db_avg_ttl_seconds", "gauge", "Mean seconds until those expire, estimated.", ("db",)
)
COMMANDS = Metric("redis_commands_total", "counter", "Calls of a command.", ("cmd",))
DURATION = Metric(
    "redis_commands_duration_seconds_total", "counter", "Seconds spent in a command.", ("cmd",)
)
REJECTED = Metric(
    "redis_commands_rejected_calls_total", "counter", "Calls refused before they ran.", ("cmd",)
)
FAILED = Metric(
    "redis_commands_failed_calls_total", "counter", "Calls that ended with an error.", ("cmd",)
)
ERRORS = Metric("redis_errors_total", "counter", "Error replies by their first word.", ("err",))
INSTANCE = Metric(
    "redis_instance_info",
    "gauge",
    "Always 1; the labels say what runs. Valkey gives the Redis release that it stands for.",
    (
        "role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy",
        "tcp_port", "run_id", "process_id", "master_replid",
    ),
)  # fmt: skip
"""Its labels are fields of `INFO`; one that the server does not give is empty."""

SCRAPES = Metric("redis_exporter_scrapes_total", "counter", "Scrapes of this endpoint.")
SCRAPE_SECONDS = Metric(
    "redis_exporter_last_scrape_duration_seconds", "gauge", "Seconds that this scrape took."
)
SCRAPE_ERROR = Metric(
    "redis_exporter_last_scrape_error", "gauge", "1 when this scrape failed, and why.", ("err",)
)

METRICS = (
    UP, *(one.metric for one in FIELDS), START_TIME, DB_KEYS, DB_KEYS_EXPIRING, DB_TTL, COMMANDS,
    DURATION, REJECTED, FAILED, ERRORS, INSTANCE, SCRAPES, SCRAPE_SECONDS, SCRAPE_ERROR,
)  # fmt: skip
"""All that are served of a server, in the order of docs/metrics.md."""

DATABASES = 16
"""How many databases a server has unless it is configured otherwise."""

_DATABASE = re.compile(r"db\d+")
_WELL = {"ok": 1.0, "err": 0.0, "fail": 0.0}


def samples(info: Mapping[str, str], databases: int = DATABASES) -> Iterator[Sample]:
    """Give the samples of a server that answered with `info`; what it leaves out is left out.

    Args:
        info: The fields of `INFO`, its `SECTIONS`.
        databases: How many databases it has: those without keys are not in `info`.
    """
    yield UP(1)
    for one in FIELDS:
        if (value := _value(info.get(one.field, ""))) is not None:
            yield one.metric(value / one.per)
    if "server_time_usec" in info and "uptime_in_seconds" in info:
        now = int(info["server_time_usec"]) // MICROSECONDS
        yield START_TIME(now - int(info["uptime_in_seconds"]))
    yield from _of_databases(info, databases)
    yield from _of_commands(info)
    yield INSTANCE(1, *(info.get(label, "") for label in INSTANCE.labels))


def _value(text: str) -> float | None:
    if text in _WELL:
        return _WELL[text]
    try:
        return float(text)
    except ValueError:
        return None


def _of_databases(info: Mapping[str, str], databases: int) -> Iterator[Sample]:
    seen = {name: infos.parts(text) for name, text in info.items() if _DATABASE.fullmatch(name)}
    for name in {f"db{number}": None for number in range(databases)} | seen:
        parts = seen.get(name, {})
        yield DB_KEYS(int(parts.get("keys", 0)), name)
        yield DB_KEYS_EXPIRING(int(parts.get("expires", 0)), name)
        if "avg_ttl" in parts:
            yield DB_TTL(int(parts["avg_ttl"]) / MILLISECONDS, name)


def _of_commands(info: Mapping[str, str]) -> Iterator[Sample]:
    for field, text in info.items():
        kind, _, name = field.partition("_")
        parts = infos.parts(text)
        if kind == "cmdstat":
            yield COMMANDS(int(parts["calls"]), name)
            yield DURATION(int(parts["usec"]) / MICROSECONDS, name)
            yield REJECTED(int(parts["rejected_calls"]), name)
            yield FAILED(int(parts["failed_calls"]), name)
        elif kind == "errorstat":
            yield ERRORS(int(parts["count"]), name)
