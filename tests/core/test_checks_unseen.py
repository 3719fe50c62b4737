"""Checks without their evidence: unknown, or nothing to judge."""

from dataclasses import replace

import pytest

from sturdis.core import checks
from sturdis.core.facts import NotVisible, Unseen
from sturdis.core.report import Verdict
from sturdis.core.spec import Spec
from tests.core.healthy import CONFIG, HEALTHY, informed, not_passed, on_machine


def test_what_another_place_would_show_is_listed_and_changes_no_status():
    facts = replace(HEALTHY, machine=NotVisible("elsewhere"))
    here_alone = {"persistence.disk", "memory.overcommit", "memory.hugepages"}
    assert not_passed(facts) == dict.fromkeys(here_alone, Verdict.NOT_APPLICABLE)
    report = checks.check(Spec(), facts)
    assert (report.verdict, report.exit_status) == (Verdict.PASS, 0)
    assert report.counts == "28 checks: 25 pass, 3 n/a"


def test_without_an_append_only_file_its_disk_is_not_judged():
    facts = replace(informed(aof_enabled="0"), config=CONFIG | {"appendonly": "no"})
    assert not_passed(facts) == {
        "persistence.appendonly": Verdict.FAIL,
        "persistence.fsync": Verdict.NOT_APPLICABLE,
        "persistence.disk": Verdict.NOT_APPLICABLE,
    }


def test_without_a_memory_limit_what_is_measured_by_it_is_not_judged():
    facts = replace(informed(maxmemory=0), config=CONFIG | {"maxmemory": "0"})
    assert not_passed(facts) == {
        "memory.maxmemory": Verdict.FAIL,
        "memory.used": Verdict.NOT_APPLICABLE,
        "memory.room": Verdict.NOT_APPLICABLE,
        "keys.expiry": Verdict.NOT_APPLICABLE,
    }


@pytest.mark.parametrize(
    ("facts", "unknown"),
    [
        (
            replace(HEALTHY, config=Unseen("CONFIG GET is refused: NOPERM")),
            {
                "persistence.appendonly",
                "persistence.appendfsync",
                "memory.policy",
                "memory.maxmemory",
                "access",
                "configuration",
                "persistence.snapshots",
            },
        ),
        (
            replace(HEALTHY, info=Unseen("INFO is refused: NOPERM")),
            {
                "role",
                "server.version",
                "server.defects",
                "clients",
                "persistence.fsync",
                "persistence.write",
                "persistence.rewrite",
                "persistence.disk",
                "memory.used",
                "memory.room",
                "memory.overcommit",
                "keys.expiry",
            },
        ),
        (
            replace(HEALTHY, machine=Unseen("INFO is refused")),
            {"persistence.disk", "memory.overcommit", "memory.hugepages"},
        ),
        (on_machine(disk_free=Unseen("permission denied")), {"persistence.disk"}),
        (on_machine(available=Unseen("no MemAvailable")), {"memory.overcommit"}),
        (on_machine(overcommit=Unseen("no such file")), {"memory.overcommit"}),
        (on_machine(huge_pages=Unseen("no such file")), {"memory.hugepages"}),
        (on_machine(memory_limit=Unseen("no such file")), {"memory.room"}),
        (replace(HEALTHY, ping=Unseen("NOPERM")), {"ping"}),
        (replace(HEALTHY, features=Unseen("NOPERM")), {"bullmq.features"}),
        (replace(HEALTHY, sample=Unseen("NOPERM")), {"keys.expiry"}),
        (
            replace(HEALTHY, queues=Unseen("NOPERM")),
            {"bullmq.retention", "bullmq.events", "bullmq.formats"},
        ),
        (replace(HEALTHY, round_trip=Unseen("NOPERM")), {"roundtrip"}),
        (replace(HEALTHY, scrape=Unseen("not known")), {"metrics"}),
        (replace(HEALTHY, job=Unseen("NOPERM")), {"bullmq.job"}),
        (replace(HEALTHY, password_required=Unseen("max clients")), {"access"}),
    ],
)
def test_what_could_not_be_seen_is_unknown_and_never_a_pass(facts, unknown):
    assert not_passed(facts) == dict.fromkeys(unknown, Verdict.UNKNOWN)
    assert checks.check(Spec(), facts).exit_status == 3


def test_a_setting_that_the_server_does_not_know_is_unknown():
    facts = replace(HEALTHY, config={"bind": "127.0.0.1"})
    assert set(not_passed(facts).values()) == {Verdict.UNKNOWN}
    assert not_passed(facts)["persistence.appendonly"] is Verdict.UNKNOWN
