from dataclasses import replace

import pytest

from sturdis.core import checks
from sturdis.core.facts import (
    JobRun,
    NoScrape,
    Pinged,
    Refused,
    RoundTrip,
    Scrape,
    ServerFacts,
    Unseen,
)
from sturdis.core.report import Verdict
from sturdis.core.spec import Persistence, Spec

CONFIG = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "bind": "127.0.0.1",
    "maxmemory": "644245094",
    "maxmemory-policy": "noeviction",
    "protected-mode": "no",
}

HEALTHY = ServerFacts(
    address="redis://127.0.0.1:6379",
    cli="sturdis cli",
    ping=Pinged("PONG", 0.2),
    config=CONFIG,
    password_required=False,
    round_trip=RoundTrip("sturdis:verify:1:roundtrip", "x", "x", 1),
    scrape=Scrape("http://127.0.0.1:9121/metrics", {"redis_up": 1}),
    job=JobRun("sturdis:verify:1:probe", "1", "completed", "x", "x", 12.0),
)


def configured(**settings: str) -> ServerFacts:
    changed = {name.replace("_", "-"): value for name, value in settings.items()}
    return replace(HEALTHY, config=CONFIG | changed)


def worst(facts: ServerFacts, spec: Spec | None = None) -> dict[str, Verdict]:
    report = checks.check(spec or Spec(), facts)
    return {one.check: one.verdict for one in report.findings if one.verdict is not Verdict.PASS}


def test_a_healthy_server_passes_every_check():
    report = checks.check(Spec(), HEALTHY)
    assert worst(HEALTHY) == {}
    assert report.exit_status == 0
    assert report.counts == "9 checks: 9 pass"


def test_ids_are_unique_and_every_finding_says_promise_evidence_and_why():
    report = checks.check(Spec(), HEALTHY)
    assert len({one.check for one in report.findings}) == len(checks.CHECKS)
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
        (replace(HEALTHY, job=Refused("READONLY")), "bullmq.job"),
        (replace(HEALTHY, job=JobRun("q", "1", "failed", "x", "x", 1)), "bullmq.job"),
        (replace(HEALTHY, job=JobRun("q", "1", "completed", "x", "y", 1)), "bullmq.job"),
    ],
)
def test_each_broken_promise_fails_its_check_alone_and_names_the_next_command(facts, check):
    report = checks.check(Spec(), facts)
    assert worst(facts) == {check: Verdict.FAIL}
    assert report.exit_status == 1
    (finding,) = (one for one in report.findings if one.check == check)
    assert finding.do


def test_a_wrong_setting_is_mended_by_the_command_that_is_named():
    (finding,) = (
        one
        for one in checks.check(Spec(), configured(maxmemory_policy="volatile-lru")).findings
        if one.verdict is Verdict.FAIL
    )
    assert finding.do == "sturdis cli config set maxmemory-policy noeviction"


def test_a_spec_that_asks_for_always_is_not_met_by_everysec():
    spec = Spec(persistence=Persistence(fsync="always"))
    assert worst(HEALTHY, spec) == {"persistence.appendfsync": Verdict.FAIL}
    assert worst(configured(appendfsync="always"), spec) == {}
    assert worst(configured(appendfsync="always")) == {}


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
            },
        ),
        (replace(HEALTHY, round_trip=Unseen("NOPERM")), {"roundtrip"}),
        (replace(HEALTHY, scrape=Unseen("not known")), {"metrics"}),
        (replace(HEALTHY, job=Unseen("NOPERM")), {"bullmq.job"}),
        (replace(HEALTHY, password_required=Unseen("max clients")), {"access"}),
    ],
)
def test_what_could_not_be_seen_is_unknown_and_never_a_pass(facts, unknown):
    assert worst(facts) == dict.fromkeys(unknown, Verdict.UNKNOWN)
    assert checks.check(Spec(), facts).exit_status == 3


def test_a_setting_that_the_server_does_not_know_is_unknown():
    facts = replace(HEALTHY, config={"bind": "127.0.0.1"})
    assert set(worst(facts).values()) == {Verdict.UNKNOWN}


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
    assert worst(facts).get("access") is verdict
    assert checks.check(Spec(), facts).exit_status == 0


def test_a_failure_outweighs_what_is_unknown():
    facts = replace(configured(appendonly="no"), job=Unseen("NOPERM"))
    report = checks.check(Spec(), facts)
    assert report.verdict is Verdict.FAIL
    assert report.counts == "9 checks: 7 pass, 1 unknown, 1 fail"
