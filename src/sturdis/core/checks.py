"""The promises of the deployment, each judged on what was seen.

A check is a row of `CHECKS`: its id, its promise, why it matters, and a function that judges the
facts. docs/checks.md is held against that table by a test.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sturdis.core import spec as specs
from sturdis.core import units
from sturdis.core.address import LOOPBACK
from sturdis.core.facts import NoScrape, Refused, ServerFacts, Unseen
from sturdis.core.report import Finding, Report, Verdict
from sturdis.core.spec import Spec

FSYNC_STRENGTH = ("no", "everysec", "always")
"""Values of appendfsync from the weakest promise to the strongest."""


@dataclass(frozen=True)
class Judgement:
    """What one look came to: verdict, evidence, and what to type."""

    verdict: Verdict
    seen: str
    do: str = ""


@dataclass(frozen=True)
class Check:
    """A promise and how it is judged."""

    id: str
    promise: str
    why: str
    judge: Callable[[Spec, ServerFacts], Judgement]


def check(spec: Spec, facts: ServerFacts) -> Report:
    """Judge every promise of `spec` on `facts`."""
    return Report(facts.address, tuple(_finding(row, spec, facts) for row in CHECKS))


def _finding(row: Check, spec: Spec, facts: ServerFacts) -> Finding:
    judged = row.judge(spec, facts)
    return Finding(row.id, row.promise, judged.seen, judged.verdict, row.why, judged.do)


def _ping(_spec: Spec, facts: ServerFacts) -> Judgement:
    if facts.ping.text == "PONG":
        return Judgement(Verdict.PASS, f"PONG after {facts.ping.milliseconds:.1f} ms")
    return Judgement(Verdict.FAIL, facts.ping.text, f"{facts.cli} info persistence")


def _round_trip(_spec: Spec, facts: ServerFacts) -> Judgement:
    seen = facts.round_trip
    if isinstance(seen, Unseen):
        return Judgement(Verdict.UNKNOWN, seen.reason, f"{facts.cli} acl whoami")
    if isinstance(seen, Refused):
        return Judgement(Verdict.FAIL, seen.reason, f"{facts.cli} info persistence memory")
    if seen.read == seen.written and seen.deleted == 1:
        return Judgement(Verdict.PASS, f"{seen.key}: written, read back the same, deleted")
    evidence = f"wrote {seen.written!r}, read {seen.read!r}, deleted {seen.deleted} keys"
    return Judgement(Verdict.FAIL, evidence, f"{facts.cli} info replication")


def _setting(
    name: str, facts: ServerFacts, wanted: str, *, accept: Callable[[str], bool]
) -> Judgement:
    """Judge one setting; what mends it is `CONFIG SET` to the wanted value."""
    if isinstance(facts.config, Unseen) or name not in facts.config:
        reason = facts.config.reason if isinstance(facts.config, Unseen) else "not a setting there"
        return Judgement(Verdict.UNKNOWN, f"{name}: {reason}", f"{facts.cli} config get {name}")
    value = facts.config[name]
    if accept(value):
        return Judgement(Verdict.PASS, f"{name} {value}")
    return Judgement(Verdict.FAIL, f"{name} {value}", f"{facts.cli} config set {name} {wanted}")


def _appendonly(_spec: Spec, facts: ServerFacts) -> Judgement:
    return _setting("appendonly", facts, "yes", accept=lambda value: value == "yes")


def _appendfsync(spec: Spec, facts: ServerFacts) -> Judgement:
    strong_enough = FSYNC_STRENGTH[FSYNC_STRENGTH.index(spec.persistence.fsync) :]
    wanted = spec.persistence.fsync
    return _setting("appendfsync", facts, wanted, accept=lambda value: value in strong_enough)


def _policy(_spec: Spec, facts: ServerFacts) -> Judgement:
    return _setting(
        "maxmemory-policy", facts, "noeviction", accept=lambda value: value == "noeviction"
    )


def _maxmemory(spec: Spec, facts: ServerFacts) -> Judgement:
    judged = _setting(
        "maxmemory", facts, str(specs.maxmemory(spec)), accept=lambda value: value != "0"
    )
    if judged.verdict is not Verdict.PASS or isinstance(facts.config, Unseen):
        return judged
    size = units.human_bytes(int(facts.config["maxmemory"]))
    return Judgement(judged.verdict, f"{judged.seen} ({size})")


def _metrics(_spec: Spec, facts: ServerFacts) -> Judgement:
    seen = facts.scrape
    if isinstance(seen, Unseen):
        return Judgement(Verdict.UNKNOWN, seen.reason, "sturdis verify TARGET --metrics URL")
    if isinstance(seen, NoScrape):
        return Judgement(Verdict.FAIL, seen.reason, f"curl -sv {seen.url}")
    up = seen.samples.get("redis_up")
    if up == 1:
        return Judgement(Verdict.PASS, f"redis_up 1 at {seen.url}")
    shown = "no redis_up" if up is None else f"redis_up {up:g}"
    return Judgement(Verdict.FAIL, f"{shown} at {seen.url}", f"curl -s {seen.url}")


def _access(_spec: Spec, facts: ServerFacts) -> Judgement:
    if isinstance(facts.password_required, Unseen):
        return Judgement(Verdict.UNKNOWN, facts.password_required.reason, f"{facts.cli} ping")
    if facts.password_required:
        return Judgement(Verdict.PASS, "a password is required")
    if isinstance(facts.config, Unseen):
        return Judgement(
            Verdict.UNKNOWN,
            f"no password is required; who can connect: {facts.config.reason}",
            f"{facts.cli} config get bind",
        )
    bind = facts.config.get("bind", "")
    listening = [address.removeprefix("-") for address in bind.split()]
    if listening and all(address in LOOPBACK for address in listening):
        return Judgement(Verdict.PASS, f"no password, but only this machine connects: bind {bind}")
    if facts.config.get("protected-mode") == "yes":
        return Judgement(Verdict.PASS, "no password, but protected-mode refuses other machines")
    shown = bind or "every address"
    return Judgement(
        Verdict.WARN,
        f"no password is required, and the server listens on {shown}",
        "in the server's redis.conf set requirepass, or bind 127.0.0.1; then restart it",
    )


def _job(_spec: Spec, facts: ServerFacts) -> Judgement:
    seen = facts.job
    if isinstance(seen, Unseen):
        return Judgement(Verdict.UNKNOWN, seen.reason, f"{facts.cli} acl whoami")
    if isinstance(seen, Refused):
        return Judgement(Verdict.FAIL, seen.reason, f"{facts.cli} info errorstats")
    evidence = f"{seen.queue}:{seen.job_id}: {seen.state}"
    if seen.state == "completed" and seen.sent == seen.returned:
        taken = f"{evidence} after {seen.milliseconds:.0f} ms, then cleaned up"
        return Judgement(Verdict.PASS, f"{taken}")
    return Judgement(
        Verdict.FAIL,
        f"{evidence}; sent {seen.sent!r}, returned {seen.returned!r}",
        f"{facts.cli} info errorstats",
    )


CHECKS: Sequence[Check] = (
    Check(
        "ping",
        "PING is answered with PONG",
        "LOADING, MISCONF and NOAUTH are answers too: a server is well when the reply says so.",
        _ping,
    ),
    Check(
        "roundtrip",
        "a key can be written, read and deleted",
        "A server that refuses writes stops every queue, and may still answer PING.",
        _round_trip,
    ),
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
        "memory.policy",
        "at the memory limit writes are refused and nothing is evicted",
        "Any other policy may drop BullMQ's keys, locks and jobs alike, without a word.",
        _policy,
    ),
    Check(
        "memory.maxmemory",
        "a memory limit is set",
        "Without one the policy never acts: the kernel kills the server instead.",
        _maxmemory,
    ),
    Check(
        "metrics",
        "the metrics endpoint says redis_up 1",
        "Alerts that read no metrics stay silent when they are needed.",
        _metrics,
    ),
    Check(
        "access",
        "only those meant to can connect",
        "Whoever reaches the port can read every job and delete all of them.",
        _access,
    ),
    Check(
        "bullmq.job",
        "a BullMQ job is added, processed, completed and cleaned up",
        "It is what this Redis is for: Lua scripts, blocking reads, streams and locks in one.",
        _job,
    ),
)
"""All checks, in the order they are shown."""
