"""Whether what was acknowledged is still there after a crash, and for how long."""

from sturdis.core import units
from sturdis.core.checks.judgement import (
    Check,
    Judgement,
    append_only,
    expect,
    failed,
    info,
    known,
    machine,
    not_applicable,
    number,
    passed,
    setting,
    unseen,
    warned,
)
from sturdis.core.facts import NotVisible, Refused, ServerFacts, Unseen
from sturdis.core.spec import Spec

FSYNC_STRENGTH = ("no", "everysec", "always")
"""Values of appendfsync from the weakest promise to the strongest."""

REWRITES_WITHOUT_A_CARE = 2
"""Free room, in rewrites: one that is running, and as much again for what is written meanwhile."""


def _appendonly(_spec: Spec, facts: ServerFacts) -> Judgement:
    return expect(facts, "appendonly", "yes", accept=lambda value: value == "yes")


def _appendfsync(spec: Spec, facts: ServerFacts) -> Judgement:
    wanted = spec.persistence.fsync
    strong_enough = FSYNC_STRENGTH[FSYNC_STRENGTH.index(wanted) :]
    return expect(facts, "appendfsync", wanted, accept=lambda value: value in strong_enough)


def _snapshots(_spec: Spec, facts: ServerFacts) -> Judgement:
    rules = setting(facts, "save")
    if not rules:
        return passed("no save rules")
    return warned(f'save "{rules}"', f"{facts.cli} config set save ''")


def _write(_spec: Spec, facts: ServerFacts) -> Judgement:
    status = info(facts, "aof_last_write_status")
    if status == "ok":
        return passed("aof_last_write_status ok")
    return failed(
        f"aof_last_write_status {status}: writes are refused until one succeeds",
        f"make room on the disk of {facts.cli} config get dir, then {facts.cli} bgrewriteaof, "
        "before any restart and even where writes come back by themselves; on "
        f"Redis 7.0 {facts.cli} config set appendonly no, and yes again",
    )


def _rewrite(_spec: Spec, facts: ServerFacts) -> Judgement:
    status = info(facts, "aof_last_bgrewrite_status")
    if status == "ok":
        return passed("aof_last_bgrewrite_status ok")
    return failed(
        f"aof_last_bgrewrite_status {status}: the file grows until one succeeds",
        f"{facts.cli} bgrewriteaof, and read the server's log",
    )


def _fsync(_spec: Spec, facts: ServerFacts) -> Judgement:
    append_only(facts)
    delayed = number(facts, "aof_delayed_fsync")
    if not delayed:
        return passed("aof_delayed_fsync 0")
    return warned(
        f"aof_delayed_fsync {delayed}: that often since its start the disk took 2 s or longer, and "
        "a kill or a power cut would have cost the longest fsync plus 1 s of writes",
        f"{facts.cli} config set latency-monitor-threshold 100, then {facts.cli} latency latest; "
        "move the data to a faster disk",
    )


def _disk(_spec: Spec, facts: ServerFacts) -> Judgement:
    where = f"df -h, on its machine, of what {facts.cli} config get dir says"
    append_only(facts)
    free = known(machine(facts, where).disk_free, where)
    file = number(facts, "aof_current_size")
    need = max(number(facts, "aof_base_size"), number(facts, "used_memory_dataset"))
    seen = (
        f"{units.human_bytes(free)} free; the file is {units.human_bytes(file)}, a rewrite takes "
        f"up to {units.human_bytes(need)} beside it"
    )
    if free < need:
        return failed(seen, where)
    if free < REWRITES_WITHOUT_A_CARE * need:
        return warned(seen, where)
    return passed(seen)


def _restart(_spec: Spec, facts: ServerFacts) -> Judgement:
    seen = facts.restarted
    if seen is None or isinstance(seen, NotVisible):
        reason = seen.reason if seen else "nobody asked for a restart"
        return not_applicable(reason, "sturdis verify --restart, beside a running sturdis up")
    if isinstance(seen, Unseen):
        return unseen(seen, "mend that first, then sturdis verify --restart")
    if isinstance(seen, Refused):
        return failed(seen.reason, f"{facts.cli} info server persistence")
    if seen.read != seen.written:
        lost = f"{seen.marker}: wrote {seen.written!r}, read {seen.read!r} after the restart"
        return failed(lost, f"{facts.cli} info persistence")
    return passed(f"{seen.marker}: still there; down for {seen.downtime_milliseconds:.0f} ms")


PERSISTENCE = (
    Check(
        "persistence.appendonly",
        "the append-only file is on",
        "Without it a restart comes back empty: every queued job is gone.",
        _appendonly,
    ),
    Check(
        "persistence.appendfsync",
        "writes are forced to disk at least as often as the spec says",
        "With `no` the kernel decides, and a power cut costs up to half a minute of jobs.",
        _appendfsync,
    ),
    Check(
        "persistence.fsync",
        "the disk keeps up with the append-only file",
        "While an fsync lasts, writes are acknowledged that are in memory alone.",
        _fsync,
    ),
    Check(
        "persistence.write",
        "the last write to the append-only file succeeded",
        "After one that failed every write is refused, and PING says MISCONF.",
        _write,
    ),
    Check(
        "persistence.rewrite",
        "the last rewrite of the append-only file succeeded",
        "A file that is never rewritten fills the disk and takes ever longer to load.",
        _rewrite,
    ),
    Check(
        "persistence.disk",
        "the disk has room for a rewrite",
        "A rewrite writes the whole data anew before it drops the old file.",
        _disk,
    ),
    Check(
        "persistence.snapshots",
        "no snapshots are taken beside the append-only file",
        "Each forks and copies all data once more, and one that fails stops every write.",
        _snapshots,
    ),
    Check(
        "persistence.restart",
        "a restart brings back what was written",
        "It is the promise that the others are about; only a restart proves it.",
        _restart,
    ),
)
"""Checks on the append-only file and its disk."""
