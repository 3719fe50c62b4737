"""What a doctor says of what one look at a server shows, where a check of `verify` judges it."""

from dataclasses import replace

import pytest

from sturdis.core.doctor import judging
from sturdis.core.doctor.diagnosis import Severity
from sturdis.core.doctor.facts import NO_LOOK
from sturdis.core.doctor.running import ServerSight
from sturdis.core.facts import NOT_TRIED, KeySample, NotVisible, QueueKeys, ServerFacts
from sturdis.core.spec import Spec
from tests.core import healthy

QUEUE = QueueKeys("bull:mails", 10, 10, 100, 1000, 10_000, ())

ILL = [
    (healthy.on_machine(disk_free=60_000), "disk.room", Severity.SERIOUS, "df -h"),
    (healthy.on_machine(disk_free=100_000), "disk.room", Severity.MINOR, "df -h"),
    (
        healthy.on_machine(available=1 << 20, memory_limit=8 << 30, overcommit="0"),
        "memory.fork",
        Severity.MINOR,
        "vm.overcommit_memory",
    ),
    (
        replace(healthy.HEALTHY, queues=[replace(QUEUE, completed=10_001)]),
        "jobs.kept",
        Severity.MINOR,
        "queue.clean(0, 1000, 'completed') of bull:mails",
    ),
    (
        replace(healthy.HEALTHY, queues=[replace(QUEUE, failed=10_001)]),
        "jobs.kept",
        Severity.MINOR,
        "queue.clean(0, 1000, 'failed') of bull:mails",
    ),
    (
        replace(healthy.HEALTHY, queues=[replace(QUEUE, events_bytes=11 << 20)]),
        "events.large",
        Severity.MINOR,
        "sturdis cli xtrim bull:mails:events maxlen 1000",
    ),
    (
        replace(healthy.HEALTHY, queues=[replace(QUEUE, events=20_001)]),
        "events.large",
        Severity.MINOR,
        "sturdis cli xtrim bull:mails:events maxlen 1000",
    ),
    (
        replace(healthy.HEALTHY, sample=KeySample(100, 100, 9, 70_000_000, ("cache:1",))),
        "keys.stray",
        Severity.MINOR,
        "with an expiry (SET … EX)",
    ),
]


def told(facts: ServerFacts) -> list[tuple[str, Severity, str]]:
    quiet = replace(facts, round_trip=NOT_TRIED, features=NOT_TRIED, job=NOT_TRIED)
    seen = ServerSight("x", "sturdis doctor x", quiet, NO_LOOK, NotVisible("elsewhere"))
    return [(one.id, one.severity, one.do) for one in judging.judge_server(Spec(), seen).found]


@pytest.mark.parametrize(("facts", "name", "severity", "do"), ILL)
def test_what_a_check_does_not_pass_is_told_with_what_to_do(facts, name, severity, do):
    ((found, how_bad, next_command),) = told(facts)
    assert (found, how_bad, do in next_command) == (name, severity, True)


def test_what_is_just_within_its_bounds_is_not_told():
    bounds = replace(QUEUE, completed=10_000, failed=10_000, events=20_000, events_bytes=10 << 20)
    sample = KeySample(100, 100, 9, 64_000_000, ("cache:1",))
    within = healthy.on_machine(disk_free=2 * 68_768)
    assert told(replace(within, queues=[bounds], sample=sample)) == []
