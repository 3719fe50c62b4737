"""What is wrong with a server by one look at it, and with the volume below it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sturdis.core import checks
from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.facts import NO_POD, Disk, Sight
from sturdis.core.facts import NOT_TRIED, ServerFacts, Unseen
from sturdis.core.report import Finding, Verdict
from sturdis.core.spec import Spec
from sturdis.core.units import human_bytes

FREE_WARN, FREE_FAIL = 20, 5
"""Per cent of the volume that are free: the alert RedisVolumeFilling fires at the same 20; 5 is
less than the base of a rewrite takes in most deployments."""

CRITICAL, SERIOUS, MINOR = Severity


TURNED_AWAY = "max number of clients reached"
"""What a server says to one connection too many (Redis 7.0 to 8.0, Valkey 8.1 to 9.1)."""


@dataclass(frozen=True)
class Sign:
    """What a check of `verify` that is not passed means to a doctor."""

    id: str
    what: str
    fail: Severity
    warn: Severity | None = None
    """None: a warning of it is no illness."""


SIGNS: Mapping[str, Sign] = {
    "ping": Sign("server.reply", "the server does not answer PING with PONG", CRITICAL),
    "persistence.write": Sign("aof.write", "the append-only file cannot be written", CRITICAL),
    "role": Sign("server.role", "the server follows another one", CRITICAL),
    "memory.used": Sign("memory.full", "the memory limit is near", CRITICAL, SERIOUS),
    "clients": Sign("clients.limit", "connections are short", CRITICAL, MINOR),
    "cluster.service": Sign("service.broken", "the Service does not lead to it", CRITICAL),
    "memory.policy": Sign("policy.changed", "keys may be evicted", SERIOUS),
    "memory.maxmemory": Sign("maxmemory.unset", "no memory limit is set", SERIOUS),
    "memory.room": Sign("memory.room", "a rewrite has no room in memory", SERIOUS),
    "persistence.appendonly": Sign("aof.off", "the append-only file is off", SERIOUS),
    "persistence.appendfsync": Sign("aof.fsync", "writes are forced to disk too seldom", SERIOUS),
    "persistence.rewrite": Sign("aof.rewrite", "the last rewrite failed", SERIOUS),
    "persistence.fsync": Sign("aof.slow_disk", "the disk did not keep up", SERIOUS, MINOR),
    "persistence.disk": Sign("disk.room", "a rewrite has no room on the disk", SERIOUS, MINOR),
    "memory.overcommit": Sign("memory.fork", "the kernel may refuse a rewrite", MINOR, MINOR),
    "bullmq.formats": Sign("jobs.older", "jobs lie where BullMQ 6 does not look", SERIOUS, SERIOUS),
    "bullmq.events": Sign("events.large", "a queue's events take much memory", MINOR, MINOR),
    "bullmq.retention": Sign("jobs.kept", "queues keep many finished jobs", MINOR, MINOR),
    "keys.expiry": Sign("keys.stray", "a cache without an expiry fills the memory", MINOR, MINOR),
    "configuration": Sign("settings.changed", "settings were changed by hand", MINOR, MINOR),
    "metrics": Sign("exporter.silent", "there are no metrics", MINOR),
    "cluster.image": Sign("image.other", "an image is not that of the spec", MINOR),
    "cluster.claim": Sign("claim.differs", "the claim is not as the spec says", SERIOUS, MINOR),
    "cluster.monitor": Sign("monitor.broken", "Prometheus does not find the metrics", MINOR),
    "cluster.drift": Sign("drift", "objects are not as the spec says", MINOR),
}
"""Check to what it means, in the order in which they are told."""


def diagnose(sight: Sight) -> Iterator[Diagnosis]:
    """Say what is wrong with the server's passwords and its volume, as far as they were seen."""
    yield from _password(sight)
    yield from _volume(sight)


def of_facts(spec: Spec, facts: ServerFacts) -> Iterator[Diagnosis]:
    """Say what is wrong with a server, from one look at it."""
    yield from _turned_away(facts)
    yield from _evicted(facts)
    for finding in _findings(spec, facts):
        yield from _of_check(finding)


def unseen_facts(spec: Spec, facts: ServerFacts) -> Iterator[Unseen]:
    """Give what one look at a server left open."""
    for one in _findings(spec, facts):
        if one.verdict is Verdict.UNKNOWN and one.seen != NOT_TRIED.reason:
            yield Unseen(one.seen)


def unseen(sight: Sight) -> Iterator[Unseen]:
    """Give what could not be seen of the server's pod and volume."""
    if isinstance(sight.server, Unseen):
        yield from () if sight.server == NO_POD else (sight.server,)
    inside = sight.inside
    for fact in (inside,) if isinstance(inside, Unseen) else (inside.disk, inside.stale):
        if isinstance(fact, Unseen) and fact != NO_POD:
            yield fact


def _findings(spec: Spec, facts: ServerFacts) -> list[Finding]:
    found = {one.check: one for one in checks.check(spec, facts).findings}
    wanted = [check for check in SIGNS if check in found]
    if isinstance(facts.scrape, Unseen) and facts.cluster is None:
        wanted.remove("metrics")  # nobody said where they are
    return [found[check] for check in wanted]


def _of_check(finding: Finding) -> Iterator[Diagnosis]:
    sign = SIGNS[finding.check]
    severity = {Verdict.FAIL: sign.fail, Verdict.WARN: sign.warn}.get(finding.verdict)
    if severity is not None:
        yield Diagnosis(sign.id, severity, sign.what, finding.seen, finding.why, finding.do)


def _password(sight: Sight) -> Iterator[Diagnosis]:
    stale = Unseen("") if isinstance(sight.inside, Unseen) else sight.inside.stale
    pod = sight.scene.pod
    if isinstance(stale, Unseen) or not stale or pod is None:
        return
    started = next(
        (
            ((one.get("state") or {}).get("running") or {}).get("startedAt", "its start")
            for one in (pod.get("status") or {}).get("containerStatuses") or ()
            if one["name"] == "redis"
        ),
        "its start",
    )
    yield Diagnosis(
        "password.changed",
        SERIOUS,
        "passwords were changed under the running server",
        f"the Secret has other values for {', '.join(sorted(stale))} than the server was started "
        f"with at {started}",
        "A server keeps the passwords that it was started with. Whoever reads the Secret now, a "
        "client, the exporter or Sturdis, is refused (WRONGPASS).",
        f"{sight.kubectl} delete pod {pod['metadata']['name']}    when seconds without a server "
        "suit you: it starts with the new ones. Clients that still have the old are refused then",
    )


def _turned_away(facts: ServerFacts) -> Iterator[Diagnosis]:
    if isinstance(facts.ping, Unseen) and TURNED_AWAY in facts.ping.reason:
        yield Diagnosis(
            "clients.limit",
            CRITICAL,
            "no more connections are let in",
            facts.ping.reason,
            "Workers and producers among those that are turned away do nothing until they get in.",
            "end the application that opens them: restart it, or scale it to 0; then "
            f"{facts.cli} client list    shows whose they are",
        )


def _volume(sight: Sight) -> Iterator[Diagnosis]:
    disk = sight.inside if isinstance(sight.inside, Unseen) else sight.inside.disk
    if not isinstance(disk, Disk) or not disk.total:
        return
    share = 100 * disk.free / disk.total
    if share >= FREE_WARN:
        return
    yield Diagnosis(
        "volume.filling",
        CRITICAL if share < FREE_FAIL else SERIOUS,
        "the volume is full" if share < FREE_FAIL else "the volume fills",
        f"{human_bytes(disk.free)} of {human_bytes(disk.total)} are free: {share:.0f} %",
        "A full volume stops every write, and a rewrite needs room for all data once more.",
        f"{sight.cli} bgrewriteaof    where the file is much larger than the data; else raise "
        "storage.size in the spec, then sturdis grow",
    )


def _evicted(facts: ServerFacts) -> Iterator[Diagnosis]:
    info = {} if isinstance(facts.info, Unseen) else facts.info
    count = info.get("evicted_keys", "0")
    if count != "0":
        yield Diagnosis(
            "keys.evicted",
            CRITICAL,
            "keys were evicted",
            f"evicted_keys {count} since its start; maxmemory-policy is now "
            f"{info.get('maxmemory_policy', 'unknown')}",
            "At the memory limit a policy other than noeviction drops keys without a word: jobs, "
            "locks and counters of BullMQ may be among them.",
            f"{facts.cli} config set maxmemory-policy noeviction, at once; then compare what the "
            "producers know with the queues. The count ends with the next start",
        )
