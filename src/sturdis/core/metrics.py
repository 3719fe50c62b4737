"""Metrics of a server, named and valued as oliver006/redis_exporter 1.69 does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One metric: its name, kind and help, and the field of `INFO` that holds its value."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    field: str


@dataclass(frozen=True)
class Sample:
    """A metric with its value."""

    metric: Metric
    value: float


UP = Metric("redis_up", "gauge", "1 when the server answered this scrape, else 0.", "")

FROM_INFO = (
    Metric("redis_memory_used_bytes", "gauge", "Bytes allocated by the server.", "used_memory"),
    Metric(
        "redis_memory_max_bytes",
        "gauge",
        "Bytes of data at which writes are refused; 0 means no limit.",
        "maxmemory",
    ),
    Metric(
        "redis_commands_processed_total",
        "counter",
        "Commands processed since the server started.",
        "total_commands_processed",
    ),
    Metric(
        "redis_connected_clients",
        "gauge",
        "Client connections, without those of replicas.",
        "connected_clients",
    ),
)
"""The metrics that come from `INFO`."""


def samples(info: Mapping[str, str] | None) -> Iterator[Sample]:
    """Give the samples of one scrape; `info` is None when the server did not answer."""
    yield Sample(UP, 0 if info is None else 1)
    if info is None:
        return
    for metric in FROM_INFO:
        if metric.field in info:
            yield Sample(metric, float(info[metric.field]))


def parse_info(text: str) -> dict[str, str]:
    """Read the text of `INFO`: `field:value` lines; section heads and blank lines are left out."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return dict(line.split(":", 1) for line in lines if ":" in line)
