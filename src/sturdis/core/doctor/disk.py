"""A disk that does not keep up with the append-only file, seen while it is slow."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.live import Glance, Live
from sturdis.core.runs import PREFIX

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


DUE_SECONDS = 1.5
"""How long after a write everysec has begun an fsync for certain: within 1 s, and 0.1 s of its
timer."""

FORKED = ("aof_rewrite_in_progress", "rdb_bgsave_in_progress")
"""While a child writes, fsyncs may be put off on purpose."""


def unsynced(live: Live, fsync: str, cli: str) -> Iterator[Diagnosis]:
    """Tell of writes that no fsync follows, although the disk has nothing to do.

    Args:
        live: Two looks at the server.
        fsync: Its setting appendfsync; empty: not seen.
        cli: What to type before a Redis command.
    """
    forked = any(look.get(name) == "1" for look in (live.before, live.after) for name in FORKED)
    seconds = waiting(live.glances)
    if fsync != "everysec" or forked or seconds < DUE_SECONDS:
        return
    yield Diagnosis(
        "disk.unsynced",
        Severity.SERIOUS,
        "what is written is not forced to the disk",
        f"the file grew, and no fsync began in the {seconds:.1f} s that it was looked at since",
        "everysec goes by the wall clock: after that is set back, no fsync comes until it has "
        "caught up. A kill costs nothing by it; a power cut costs all that was written since.",
        f"{cli} config set appendfsync always\n{cli} set {PREFIX}:doctor:fsync 1 px 1\n"
        f"{cli} config set appendfsync everysec    from then on it goes by the new clock",
    )


def waiting(glances: Sequence[Glance]) -> float:
    """Give for how long at least a write waited at the end for an fsync to begin. Seconds."""
    for before, after in pairwise(glances):
        since = [one for one in glances if one.at >= before.at]
        began = any(one.is_syncing or one.turns != before.turns for one in since)
        if after.size > before.size and before.turns is not None and not began:
            return glances[-1].at - after.at
    return 0.0


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
    if len(live.glances) >= FEWEST_GLANCES and (100 * live.fsyncs >= SHARE * len(live.glances)):
        yield f"an fsync was under way in {live.fsyncs} of {len(live.glances)} glances"
    for event in EVENTS:
        told = live.latencies.get(event)
        if told and told.age <= RECENT_SECONDS and told.last >= LONG_MILLISECONDS:
            yield f"{event} took {told.last} ms, {told.age} s ago; at most {told.longest} ms"
