from dataclasses import replace

import pytest

from sturdis.core import checks
from sturdis.core.facts import (
    Features,
    JobRun,
    KeySample,
    NoScrape,
    NotVisible,
    Pinged,
    QueueKeys,
    Refused,
    Restarted,
    RoundTrip,
    Scrape,
    Unseen,
)
from sturdis.core.report import Verdict
from sturdis.core.spec import Memory, Persistence, Spec
from tests.core.healthy import (
    CONFIG,
    GIB,
    HEALTHY,
    INFO,
    configured,
    finding,
    informed,
    not_passed,
    on_machine,
)


def test_a_healthy_server_passes_every_check():
    report = checks.check(Spec(), HEALTHY)
    assert not_passed(HEALTHY) == {}
    assert report.exit_status == 0
    assert report.counts == "28 checks: 28 pass"


def test_ids_are_unique_and_every_finding_says_promise_evidence_and_why():
    report = checks.check(Spec(), HEALTHY)
    assert {one.check for one in report.findings} == {
        one.id
        for one in checks.CHECKS
        if one.id != checks.WHEN_ASKED and one.id not in checks.IN_CLUSTER
    }
    assert len({one.id for one in checks.CHECKS}) == len(checks.CHECKS)
    assert all(one.promise and one.seen and one.why for one in report.findings)


@pytest.mark.parametrize(
    ("facts", "check"),
    [
        (replace(HEALTHY, ping=Pinged("LOADING Redis is loading", 1)), "ping"),
        (replace(HEALTHY, round_trip=Refused("OOM command not allowed")), "roundtrip"),
        (replace(HEALTHY, round_trip=RoundTrip("k", "x", None, 0)), "roundtrip"),
        (replace(HEALTHY, round_trip=RoundTrip("k", "x", "y", 1)), "roundtrip"),
        (configured(appendonly="no"), "persistence.appendonly"),
        (configured(appendfsync="no"), "persistence.appendfsync"),
        (configured(maxmemory_policy="allkeys-lru"), "memory.policy"),
        (configured(maxmemory="0"), "memory.maxmemory"),
        (replace(HEALTHY, scrape=NoScrape("http://x", "connection refused")), "metrics"),
        (replace(HEALTHY, scrape=Scrape("http://x", {"redis_up": 0})), "metrics"),
        (replace(HEALTHY, scrape=Scrape("http://x", {})), "metrics"),
        (informed(role="slave", master_host="h", master_port=1, master_link_status="up"), "role"),
        (informed(aof_last_write_status="err"), "persistence.write"),
        (informed(aof_last_bgrewrite_status="err"), "persistence.rewrite"),
        (on_machine(disk_free=1000), "persistence.disk"),
        (informed(used_memory=644_000_000), "memory.used"),
        (on_machine(memory_limit=GIB // 2), "memory.room"),
        (informed(connected_clients=9600), "clients"),
        (
            replace(HEALTHY, features=Features({"LPOS": "ERR unknown command"}, 15)),
            "bullmq.features",
        ),
        (replace(HEALTHY, job=Refused("READONLY")), "bullmq.job"),
        (replace(HEALTHY, job=JobRun("q", "1", "failed", "x", "x", 1)), "bullmq.job"),
        (replace(HEALTHY, job=JobRun("q", "1", "completed", "x", "y", 1)), "bullmq.job"),
    ],
)
def test_each_broken_promise_fails_its_check_alone_and_names_the_next_command(facts, check):
    report = checks.check(Spec(), facts)
    assert not_passed(facts) == {check: Verdict.FAIL}
    assert report.exit_status == 1
    assert finding(facts, check).do


@pytest.mark.parametrize(
    ("facts", "check"),
    [
        (informed(valkey_version="9.2.0"), "server.version"),
        (replace(HEALTHY, info=INFO | {"dragonfly_version": "df-v1.2"}), "server.version"),
        (replace(informed(valkey_version="8.1.8"), guarded=False), "server.defects"),
        (configured(timeout="300"), "configuration"),
        (configured(maxmemory="1000000"), "configuration"),
        (informed(connected_clients=9000), "clients"),
        (informed(rejected_connections=3), "clients"),
        (informed(aof_delayed_fsync=2), "persistence.fsync"),
        (on_machine(disk_free=100_000), "persistence.disk"),
        (configured(save="3600 1"), "persistence.snapshots"),
        (informed(used_memory=580_000_000), "memory.used"),
        (on_machine(memory_limit=3 * GIB // 4), "memory.room"),
        (on_machine(available=GIB), "memory.overcommit"),
        (on_machine(overcommit="2", commit_room=GIB), "memory.overcommit"),
        (
            replace(on_machine(huge_pages="always"), config=CONFIG | {"disable-thp": "no"}),
            "memory.hugepages",
        ),
        (
            replace(HEALTHY, queues=(QueueKeys("bull:m", 10_001, 0, 1, 1, 10_000, ()),)),
            "bullmq.retention",
        ),
        (
            replace(HEALTHY, queues=(QueueKeys("bull:m", 0, 10_001, 1, 1, 10_000, ()),)),
            "bullmq.retention",
        ),
        (
            replace(HEALTHY, queues=(QueueKeys("bull:m", 0, 0, 20_001, 1, 10_000, ()),)),
            "bullmq.events",
        ),
        (
            replace(HEALTHY, queues=(QueueKeys("bull:m", 0, 0, 9, 11 * 2**20, 10_000, ()),)),
            "bullmq.events",
        ),
        (
            replace(
                HEALTHY, queues=(QueueKeys("bull:m", 0, 0, 0, 0, 10_000, ("paused by Bull 3",)),)
            ),
            "bullmq.formats",
        ),
        (replace(HEALTHY, sample=KeySample(100, 100, 100, 70_000_000, ("k",))), "keys.expiry"),
    ],
)
def test_what_stands_against_a_promise_warns_alone_and_changes_no_status(facts, check):
    assert not_passed(facts) == {check: Verdict.WARN}
    assert checks.check(Spec(), facts).exit_status == 0
    assert finding(facts, check).do


@pytest.mark.parametrize(
    "facts",
    [
        on_machine(overcommit="1", available=0),
        on_machine(overcommit="2", available=0),
        on_machine(huge_pages="always"),
        on_machine(huge_pages="never"),
        replace(HEALTHY, guarded=False),
        informed(valkey_version="8.1.8"),
        configured(appendfsync="always"),
        informed(maxclients=5),
    ],
)
def test_what_costs_nothing_passes(facts):
    assert not_passed(facts) == {}


@pytest.mark.parametrize(
    ("restarted", "verdict"),
    [
        (Restarted("m", "x", "x", 12.0), Verdict.PASS),
        (Restarted("m", "x", None, 12.0), Verdict.FAIL),
        (Restarted("m", "x", "y", 12.0), Verdict.FAIL),
        (Refused("it did not come back within 60 s"), Verdict.FAIL),
        (NotVisible("not a running up"), Verdict.NOT_APPLICABLE),
    ],
)
def test_a_restart_is_judged_when_it_was_asked_for(restarted, verdict):
    asked = replace(HEALTHY, restarted=restarted)
    assert finding(asked, "persistence.restart").verdict is verdict


def test_a_setting_of_the_spec_is_no_drift():
    spec = Spec(memory=Memory(limit="2Gi"))
    assert not_passed(HEALTHY, spec) == {"configuration": Verdict.WARN}
    do = finding(HEALTHY, "configuration", spec).do
    assert do == "sturdis cli config set maxmemory 1288490188"
    assert not_passed(configured(maxmemory="1288490188"), spec) == {}


def test_a_wrong_setting_is_mended_by_the_command_that_is_named():
    do = finding(configured(maxmemory_policy="volatile-lru"), "memory.policy").do
    assert do == "sturdis cli config set maxmemory-policy noeviction"


def test_a_spec_that_asks_for_always_is_not_met_by_everysec():
    spec = Spec(persistence=Persistence(fsync="always"))
    assert not_passed(HEALTHY, spec) == {"persistence.appendfsync": Verdict.FAIL}
    assert not_passed(configured(appendfsync="always"), spec) == {}
    assert not_passed(configured(appendfsync="always")) == {}


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (replace(HEALTHY, password_required=True), None),
        (configured(bind="127.0.0.1 -::1"), None),
        (configured(bind="* -::*", protected_mode="yes"), None),
        (configured(bind="* -::*"), Verdict.WARN),
        (configured(bind=""), Verdict.WARN),
        (configured(bind="127.0.0.1 10.0.0.5"), Verdict.WARN),
    ],
)
def test_access_is_judged_by_who_can_connect(facts, verdict):
    assert not_passed(facts).get("access") is verdict
    assert checks.check(Spec(), facts).exit_status == 0


def test_a_failure_outweighs_what_is_unknown():
    facts = replace(configured(appendonly="no"), job=Unseen("NOPERM"))
    report = checks.check(Spec(), facts)
    assert report.verdict is Verdict.FAIL
    assert report.counts == "28 checks: 26 pass, 1 unknown, 1 fail"
