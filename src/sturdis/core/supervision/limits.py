"""How long a server may take, how long it may be silent, and how soon it is started again."""

from dataclasses import dataclass

DAY_SECONDS = 86400.0
START_SECONDS = 60.0
"""Least time allowed until a server is ready."""

LOAD_BYTES_PER_SECOND = 50_000_000
"""How fast a server loads an append-only file: 52 to 68 MB/s for BullMQ's; docs/adr/0014."""

STOP_SECONDS = 30.0
"""Time from SIGTERM to SIGKILL: Kubernetes' own grace, above the server's shutdown-timeout."""

PROBE_SECONDS = 5.0
"""From one probe to the next, and the longest wait for its reply; docs/adr/0014."""

SILENT_PROBES = 6
"""So many probes in a row without a reply, and the server counts as dead; docs/adr/0014."""

FIRST_WAIT = 1.0
"""Seconds before the second start in a row; the first is at once, as a kubelet's is."""

LONGEST_WAIT = 300.0
"""Most seconds between two starts: a kubelet's own limit."""


@dataclass(frozen=True)
class Limits:
    """What one run allows its server."""

    start: float = START_SECONDS
    """Seconds from a start until the server is ready."""
    stop: float = STOP_SECONDS
    """Seconds from SIGTERM to SIGKILL."""
    probe: float = PROBE_SECONDS
    """Seconds from one probe to the next, and the longest wait for its reply."""
    silent_probes: int = SILENT_PROBES
    """Probes in a row without a reply after which the server is replaced."""


def start_budget(maxmemory: int) -> float:
    """Seconds until ready: four times what loading `maxmemory` takes, from 60 to a day."""
    return min(max(START_SECONDS, 4 * maxmemory / LOAD_BYTES_PER_SECOND), DAY_SECONDS)


def next_wait(last: float | None) -> float:
    """Seconds to wait before the next start: 0, then 1, doubling up to 300.

    Args:
        last: The wait before the start that has just failed; None when all was well.
    """
    if last is None:
        return 0.0
    return min(max(2 * last, FIRST_WAIT), LONGEST_WAIT)


def steady_after(wait: float | None) -> float:
    """Seconds of serving after which earlier failures are forgotten: twice the last wait."""
    return max(2 * (wait or 0.0), FIRST_WAIT)
