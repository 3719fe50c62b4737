"""A disk that does not keep up with the append-only file, seen while it is slow."""

from collections.abc import Iterator

from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.live import Live

FEWEST_GLANCES = 5
"""Fewer glances than this prove nothing of how long an fsync takes."""

SHARE = 50
"""Per cent of the glances with an fsync under way from which the disk is slow: everysec asks for
one a second, and a disk that keeps up is done within hundredths of it."""

RECENT_SECONDS = 60
"""How long ago an event of LATENCY LATEST still counts."""

LONG_MILLISECONDS = 1000
"""As long as everysec gives an fsync before the next one is due."""

EVENTS = ("aof-fsync-always", "aof-write-pending-fsync", "aof-write")
"""Events of LATENCY LATEST that are the disk's; kept where latency-monitor-threshold is not 0."""


def diagnose(live: Live, cli: str) -> Iterator[Diagnosis]:
    """Tell of fsyncs that take too long."""
    signs = tuple(_signs(live))
    if not signs:
        return
    yield Diagnosis(
        "disk.slow",
        Severity.SERIOUS,
        "the disk does not keep up now",
        "; ".join(signs),
        "While an fsync lasts, writes are acknowledged that are in memory alone: a kill or a power "
        "cut costs up to 2 s of them, or the longest fsync plus 1 s. After 2 s every client waits.",
        f"{cli} config set latency-monitor-threshold 100, then {cli} latency latest; look for what "
        "else writes to that disk, and move the data to a faster one",
    )


def _signs(live: Live) -> Iterator[str]:
    if risen := live.risen("aof_delayed_fsync"):
        yield f"aof_delayed_fsync rose by {risen} within {live.seconds:.1f} s"
    if live.polls >= FEWEST_GLANCES and 100 * live.fsyncs >= SHARE * live.polls:
        yield f"an fsync was under way in {live.fsyncs} of {live.polls} glances"
    for event in EVENTS:
        told = live.latencies.get(event)
        if told and told.age <= RECENT_SECONDS and told.last >= LONG_MILLISECONDS:
            yield f"{event} took {told.last} ms, {told.age} s ago; at most {told.longest} ms"
