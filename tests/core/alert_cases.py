"""What Prometheus may have of a deployment, and which alert is to fire on it.

Values are written as promtool reads them, one every 30 s: `1x9` is ten times 1, `_` no value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sturdis.core.spec import Monitoring, Spec

QUEUES = ("mails", 'we ird,="%\\$(A)\nü')
SPEC = Spec(monitoring=Monitoring(queues=QUEUES))

HEALTHY = {
    "redis_up": "1x200",
    "redis_loading_dump_file": "0x200",
    'redis_instance_info{run_id="a"}': "1x200",
    "redis_connected_clients": "10x200",
    "redis_rejected_connections_total": "0x200",
    "redis_aof_enabled": "1x200",
    "redis_aof_last_write_status": "1x200",
    "redis_aof_last_bgrewrite_status": "1x200",
    "redis_aof_delayed_fsync": "0x200",
    "redis_memory_used_bytes": "100x200",
    "redis_memory_max_bytes": "1000x200",
    "redis_evicted_keys_total": "0x200",
    'redis_errors_total{err="ERR"}': "0+5x200",
    'redis_script_values{key="mails"}': "5x200",
    "redis_script_result": "1x200",
    "kubelet_volume_stats_available_bytes": "90x200",
    "kubelet_volume_stats_capacity_bytes": "100x200",
}
"""Series of a deployment that nobody needs to look at; the labels of its target are added."""

FIRST_BURST = "_x4 50x200"
OLD_BURST = "50x200"
RISING = "7x5 7+1x9 16x200"
"""Of a counter: not there before it is 50; always 50; between 2.5 and 7 minutes from 7 to 16."""


@dataclass(frozen=True)
class Case:
    """Series beside or in place of the healthy ones, and the alerts of them at a minute."""

    name: str
    series: Mapping[str, str] = field(repr=False)
    minute: int = 10
    alerts: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def at(minute: int, name: str, *alerts: str, **series: str) -> Case:
    """Give a case of metrics without labels of their own."""
    return Case(name, series, minute, alerts)


def runs(count: int, values: int) -> dict[str, str]:
    """Give the series of a server that was started `count` times, `values` scrapes each."""
    kept = f"1x{values - 1} stale"
    after = ["", *(f"_x{values * number} " for number in range(1, count))]
    return {f'redis_instance_info{{run_id="{chr(ord("a") + number)}"}}': f"{gap}{kept}"
            for number, gap in enumerate(after)}  # fmt: skip


def errors(kind: str, values: str) -> dict[str, str]:
    return {f'redis_errors_total{{err="{kind}"}}': values}


def waiting(jobs: str) -> dict[str, str]:
    """Give the jobs that wait in a queue with a name that is hard to write."""
    name = QUEUES[1].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return {f'redis_script_values{{key="{name}"}}': jobs}


SERVING = (
    at(6, "the server does not answer", "RedisDown", redis_up="0x200"),
    at(4, "the server does not answer for 4 minutes", redis_up="0x200"),
    at(10, "the server answers again after 4 minutes", redis_up="0x8 1x200"),
    at(8, "the exporter is gone", "RedisDown", redis_up="1x3 stale"),
    at(6, "the exporter was never there", "RedisDown", redis_up="_x200"),
    at(5, "the exporter is gone for 3 minutes", redis_up="1x3 stale _x4 1x200"),
    at(6, "the server loads", "RedisDown", redis_loading_dump_file="1x200"),
    at(10, "the server loaded for 4 minutes", redis_loading_dump_file="1x8 0x200"),
    at(
        6,
        "a silent server loads",
        "RedisDown",
        redis_up="0x5 1x200",
        redis_loading_dump_file="_x6 1x200",
    ),
    at(6, "a silent server's pod goes", "RedisDown", redis_up="0x5 stale"),
    Case("five runs in half an hour", runs(5, 10), 27, ("RedisRestartLoop",)),
    Case("four runs in half an hour", runs(4, 10), 27),
    Case("five runs in an hour and a half", runs(5, 40), 90),
)

CONNECTIONS = (
    at(6, "101 connections", "RedisConnectionsHigh", redis_connected_clients="101x200"),
    at(6, "100 connections", redis_connected_clients="100x200"),
    at(4, "101 connections for 4 minutes", redis_connected_clients="101x200"),
)

APPEND_ONLY_FILE = (
    at(2, "appendonly is off", "RedisAofDisabled", redis_aof_enabled="0x200"),
    at(5, "appendonly is off at one scrape", redis_aof_enabled="1x8 0x200"),
    at(2, "MISCONF", "RedisAofWriteFailing", redis_aof_last_write_status="0x200"),
    at(5, "MISCONF at one scrape", redis_aof_last_write_status="1x8 0x200"),
    at(6, "no rewrite succeeds", "RedisAofRewriteFailing", redis_aof_last_bgrewrite_status="0x200"),
    at(4, "no rewrite succeeds for 4 minutes", redis_aof_last_bgrewrite_status="0x200"),
    at(6, "a rewrite failed and the next did not", redis_aof_last_bgrewrite_status="0x8 1x200"),
)

MEMORY = (
    at(6, "81 % of maxmemory", "RedisMemoryHigh", redis_memory_used_bytes="810x200"),
    at(6, "80 % of maxmemory", redis_memory_used_bytes="800x200"),
    at(4, "81 % of maxmemory for 4 minutes", redis_memory_used_bytes="810x200"),
    at(6, "no maxmemory", "RedisMaxmemoryUnset", redis_memory_max_bytes="0x200"),
    at(4, "no maxmemory for 4 minutes", redis_memory_max_bytes="0x200"),
)

VOLUME = (
    at(6, "19 % free", "RedisVolumeFilling", kubelet_volume_stats_available_bytes="19x200"),
    at(6, "20 % free", kubelet_volume_stats_available_bytes="20x200"),
    at(4, "19 % free for 4 minutes", kubelet_volume_stats_available_bytes="19x200"),
    Case(
        "another claim is full",
        {
            'kubelet_volume_stats_available_bytes{persistentvolumeclaim="data-postgres-0"}': "0x9",
            'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="data-postgres-0"}': "9x9",
        },
        6,
    ),
)

QUEUE = (
    Case("1001 jobs wait", waiting("1001x200"), 6, ("RedisQueueDepthHigh",)),
    Case("1000 jobs wait", waiting("1000x200"), 6),
    Case("1001 jobs wait for 4 minutes", waiting("1001x200"), 4),
    Case(
        "600 jobs wait in each of two queues",
        waiting("600x200") | {'redis_script_values{key="mails"}': "600x200"},
        6,
    ),
    at(6, "jobs cannot be counted", "RedisQueueDepthUnknown", redis_script_result="0x200"),
    at(4, "jobs cannot be counted for 4 minutes", redis_script_result="0x200"),
)


def counters() -> Iterator[Case]:
    """Give the cases of counters that are there from the start."""
    for metric, alert in {
        "redis_rejected_connections_total": "RedisConnectionsRejected",
        "redis_aof_delayed_fsync": "RedisAofFsyncDelayed",
        "redis_evicted_keys_total": "RedisKeysEvicted",
    }.items():
        yield Case(f"{metric} rises", {metric: RISING}, 8, (alert,))
        yield Case(f"{metric} rose long ago", {metric: RISING}, 30)
        yield Case(f"{metric} begins anew", {metric: "7x8 0x200"}, 8)


def refusals() -> Iterator[Case]:
    """Give the cases of errors, which have no counter before the first."""
    for kind, alert in {
        "OOM": "RedisOutOfMemoryErrors",
        "READONLY": "RedisReadOnlyErrors",
    }.items():
        yield Case(f"a first burst of {kind}", errors(kind, FIRST_BURST), 6, (alert,))
        yield Case(f"a burst of {kind} is long over", errors(kind, FIRST_BURST), 30)
        yield Case(f"more of {kind}", errors(kind, RISING), 16, (alert,))
        yield Case(f"{kind} of a day ago", errors(kind, OLD_BURST), 30)


CASES = (
    Case("all is well", {}, 40),
    *SERVING, *CONNECTIONS, *APPEND_ONLY_FILE, *MEMORY, *VOLUME, *QUEUE, *counters(), *refusals(),
)  # fmt: skip
