"""What BullMQ needs of the server, and what its queues leave in it."""

from collections.abc import Sequence

from sturdis.core import units
from sturdis.core.checks.judgement import (
    Check,
    Judgement,
    failed,
    known,
    memory_limit,
    passed,
    percent,
    unseen,
    warned,
)
from sturdis.core.facts import QueueKeys, Refused, ServerFacts, Unseen
from sturdis.core.spec import Spec

FINISHED_KEPT = 10_000
"""Finished jobs of one kind that a queue may keep: docs/adr/0028."""

EVENTS_SLACK = 2
"""Times as many events as BullMQ trims to: its `~` leaves up to a node more."""

EVENTS_BYTES = 10 * 2**20
"""Bytes of one events stream: 10,000 events, BullMQ's default, of 1 KiB each; docs/adr/0028."""

STRAY_SHARE = 10
"""Per cent of maxmemory in keys that never expire: docs/adr/0028."""


def _job(_spec: Spec, facts: ServerFacts) -> Judgement:
    seen = facts.job
    if isinstance(seen, Unseen):
        return unseen(seen, f"{facts.cli} acl whoami")
    if isinstance(seen, Refused):
        return failed(seen.reason, f"{facts.cli} info errorstats")
    evidence = f"{seen.queue}:{seen.job_id}: {seen.state}"
    if seen.state == "completed" and seen.sent == seen.returned:
        return passed(f"{evidence} after {seen.milliseconds:.0f} ms, then cleaned up")
    return failed(
        f"{evidence}; sent {seen.sent!r}, returned {seen.returned!r}",
        f"{facts.cli} info errorstats",
    )


def _features(_spec: Spec, facts: ServerFacts) -> Judgement:
    seen = known(facts.features, f"{facts.cli} acl whoami")
    if not seen.missing:
        return passed(f"{seen.tried} features tried, none is missing")
    told = "; ".join(f"{feature}: {reply}" for feature, reply in seen.missing.items())
    return failed(told, f"{facts.cli} info server, and run a Redis or Valkey of the test matrix")


def _retention(_spec: Spec, facts: ServerFacts) -> Judgement:
    queues = known(facts.queues, f"{facts.cli} acl whoami")
    large = [
        (one.name, state, count)
        for one in queues
        for state, count in (("completed", one.completed), ("failed", one.failed))
        if count > FINISHED_KEPT
    ]
    if not large:
        return passed(f"none of {_found(queues)} keeps more than {FINISHED_KEPT} finished jobs")
    option = {"completed": "removeOnComplete", "failed": "removeOnFail"}
    name, state, _count = large[0]
    return warned(
        "; ".join(f"{queue}: {count} {which}" for queue, which, count in large),
        f"{option[state]}: {{count: 1000}} in the jobs' options; once, after a look at them, "
        f"queue.clean(0, 1000, '{state}') of {name}",
    )


def _events(_spec: Spec, facts: ServerFacts) -> Judgement:
    queues = known(facts.queues, f"{facts.cli} acl whoami")
    large = [
        one
        for one in queues
        if one.events > EVENTS_SLACK * one.events_wanted or one.events_bytes > EVENTS_BYTES
    ]
    if not large:
        return passed(f"none of {_found(queues)} has a large events stream")
    seen = (f"{q.name}: {q.events} events, {units.human_bytes(q.events_bytes)}" for q in large)
    return warned(
        "; ".join(seen),
        f"{facts.cli} xtrim {large[0].name}:events maxlen 1000, and streams: {{events: {{maxLen: "
        "1000}} in the queue's options; return little from a job",
    )


def _formats(_spec: Spec, facts: ServerFacts) -> Judgement:
    queues = known(facts.queues, f"{facts.cli} acl whoami")
    older = [one for one in queues if one.older]
    if not older:
        return passed(f"none of {_found(queues)} has keys of an older BullMQ")
    return warned(
        "; ".join(f"{one.name}: {', '.join(one.older)}" for one in older),
        "resume and drain these queues with the BullMQ that wrote them, before BullMQ 6 takes over",
    )


def _found(queues: Sequence[QueueKeys]) -> str:
    return f"the {len(queues)} queues found"


def _stray(_spec: Spec, facts: ServerFacts) -> Judgement:
    seen = known(facts.sample, f"{facts.cli} acl whoami")
    limit = memory_limit(facts)
    told = (
        f"{seen.stray} of {seen.looked_at} keys looked at, of {seen.total}, belong to no queue and "
        f"never expire: about {units.human_bytes(seen.stray_bytes)}"
    )
    if percent(seen.stray_bytes, limit) <= STRAY_SHARE:
        return passed(told)
    return warned(
        f"{told} of {units.human_bytes(limit)}; such as {', '.join(seen.examples)}",
        "write the cache with an expiry (SET … EX), or give it a server of its own",
    )


BULLMQ = (
    Check(
        "bullmq.features",
        "the server has what BullMQ needs",
        "A feature that is missing shows when the first job needs it.",
        _features,
    ),
    Check(
        "bullmq.job",
        "a BullMQ job is added, processed, completed and cleaned up",
        "It is what this Redis is for: Lua scripts, blocking reads, streams and locks in one.",
        _job,
    ),
    Check(
        "bullmq.retention",
        "queues keep a bounded number of finished jobs",
        "BullMQ keeps every finished job unless told otherwise, until memory is full.",
        _retention,
    ),
    Check(
        "bullmq.events",
        "events streams stay small",
        "An event carries what its job returned, and outlives the job.",
        _events,
    ),
    Check(
        "bullmq.formats",
        "no queue holds jobs where only an older BullMQ looks",
        "Workers of BullMQ 6 do not see them, and its counts say 0.",
        _formats,
    ),
    Check(
        "keys.expiry",
        "what belongs to no queue expires",
        "With noeviction a cache that never expires fills the memory, and then adds are rejected.",
        _stray,
    ),
)
"""Checks on BullMQ's needs and traces."""
