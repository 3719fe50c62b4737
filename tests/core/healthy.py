"""What a healthy server looks like, and changes to it."""

from dataclasses import replace
from typing import Any

from sturdis.core import checks
from sturdis.core.facts import (
    Features,
    JobRun,
    KeySample,
    Machine,
    Pinged,
    RoundTrip,
    Scrape,
    ServerFacts,
)
from sturdis.core.report import Finding, Verdict
from sturdis.core.spec import Spec

GIB = 2**30

CONFIG = {
    "aof-timestamp-enabled": "yes",
    "aof-use-rdb-preamble": "yes",
    "appendfsync": "everysec",
    "appendonly": "yes",
    "bind": "127.0.0.1",
    "disable-thp": "yes",
    "maxmemory": "644245094",
    "maxmemory-policy": "noeviction",
    "no-appendfsync-on-rewrite": "no",
    "protected-mode": "no",
    "save": "",
    "shutdown-timeout": "10",
    "tcp-keepalive": "60",
    "timeout": "0",
}

INFO = {
    "aof_base_size": "90",
    "aof_current_size": "1000",
    "aof_delayed_fsync": "0",
    "aof_enabled": "1",
    "aof_last_bgrewrite_status": "ok",
    "aof_last_write_status": "ok",
    "blocked_clients": "1",
    "connected_clients": "4",
    "connected_slaves": "0",
    "maxclients": "10000",
    "maxmemory": "644245094",
    "mem_not_counted_for_evict": "24",
    "redis_version": "7.2.4",
    "rejected_connections": "0",
    "role": "master",
    "total_system_memory": str(8 * GIB),
    "used_memory": "1067720",
    "used_memory_dataset": "68768",
    "used_memory_rss": "6578176",
    "valkey_version": "9.1.2",
}

MACHINE = Machine(
    memory_limit=8 * GIB,
    limited_by="all memory of its machine",
    available=6 * GIB,
    commit_room=5 * GIB,
    overcommit="0",
    huge_pages="madvise",
    disk_free=50 * GIB,
)

HEALTHY = ServerFacts(
    address="redis://127.0.0.1:6379",
    cli="sturdis cli",
    ping=Pinged("PONG", 0.2),
    config=CONFIG,
    info=INFO,
    guarded=True,
    machine=MACHINE,
    password_required=False,
    round_trip=RoundTrip("sturdis:verify:1:roundtrip", "x", "x", 1),
    scrape=Scrape("http://127.0.0.1:9121/metrics", {"redis_up": 1}),
    job=JobRun("sturdis:verify:1:probe", "1", "completed", "x", "x", 12.0),
    features=Features({}, 15),
    sample=KeySample(0, 0, 0, 0, ()),
    queues=(),
)


def configured(**settings: str) -> ServerFacts:
    changed = {name.replace("_", "-"): value for name, value in settings.items()}
    return replace(HEALTHY, config=CONFIG | changed)


def informed(**fields: str | int) -> ServerFacts:
    return replace(HEALTHY, info=INFO | {name: str(value) for name, value in fields.items()})


def on_machine(**changes: Any) -> ServerFacts:
    return replace(HEALTHY, machine=replace(MACHINE, **changes))


def not_passed(facts: ServerFacts, spec: Spec | None = None) -> dict[str, Verdict]:
    report = checks.check(spec or Spec(), facts)
    return {one.check: one.verdict for one in report.findings if one.verdict is not Verdict.PASS}


def finding(facts: ServerFacts, check: str, spec: Spec | None = None) -> Finding:
    (found,) = (one for one in checks.check(spec or Spec(), facts).findings if one.check == check)
    return found
