"""Checks that compare figures, at every figure."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import checks
from sturdis.core.facts import KeySample, QueueKeys, Unseen
from sturdis.core.report import SEVERITY, Verdict
from sturdis.core.spec import Spec
from tests.core.healthy import CONFIG, GIB, HEALTHY, INFO, configured, finding, informed, on_machine

SIZES = st.integers(1, 64 * GIB)
COUNTS = st.integers(0, 100_000)
WEIRD = st.one_of(st.text(max_size=12), st.integers().map(str))


def with_limit(limit: int, **fields: int):
    facts = informed(maxmemory=limit, **fields)
    return replace(facts, config=CONFIG | {"maxmemory": str(limit)})


@given(used=SIZES, limit=SIZES)
def test_used_memory_warns_above_80_and_fails_above_95_per_cent(used, limit):
    facts = with_limit(limit, used_memory=used, mem_not_counted_for_evict=0)
    expected = (
        Verdict.FAIL
        if 100 * used > 95 * limit
        else Verdict.WARN
        if 100 * used > 80 * limit
        else Verdict.PASS
    )
    assert finding(facts, "memory.used").verdict is expected


@given(uncounted=SIZES, limit=SIZES)
def test_buffers_that_the_policy_does_not_count_fill_no_memory(uncounted, limit):
    facts = with_limit(limit, used_memory=uncounted, mem_not_counted_for_evict=uncounted)
    assert finding(facts, "memory.used").verdict is Verdict.PASS


@given(data=SIZES, resident=SIZES, limit=SIZES)
def test_room_is_judged_by_the_larger_of_limit_and_resident(data, resident, limit):
    facts = with_limit(data, used_memory_rss=resident)
    facts = replace(facts, machine=replace(on_machine().machine, memory_limit=limit))
    peak = max(data, resident)
    expected = (
        Verdict.FAIL if peak > limit else Verdict.WARN if 100 * peak > 75 * limit else Verdict.PASS
    )
    assert finding(facts, "memory.room").verdict is expected


@given(data=SIZES, resident=SIZES, room=SIZES)
def test_a_fork_that_is_let_through_fits_beside_all_data(data, resident, room):
    facts = replace(
        with_limit(data, used_memory_rss=resident), machine=on_machine(available=room).machine
    )
    passed = finding(facts, "memory.overcommit").verdict is Verdict.PASS
    peak = max(data, resident)
    still_to_come = peak - resident
    assert passed == (peak <= room - still_to_come)


@given(free=SIZES, base=SIZES, dataset=SIZES)
def test_a_disk_takes_one_rewrite_or_fails_and_two_or_warns(free, base, dataset):
    facts = replace(
        informed(aof_base_size=base, used_memory_dataset=dataset),
        machine=on_machine(disk_free=free).machine,
    )
    rewrites = free // max(base, dataset)
    expected = {0: Verdict.FAIL, 1: Verdict.WARN}.get(rewrites, Verdict.PASS)
    assert finding(facts, "persistence.disk").verdict is expected


@given(connected=COUNTS, most=st.integers(1, 100_000), rejected=COUNTS)
def test_clients_are_judged_by_their_share_and_by_who_was_turned_away(connected, most, rejected):
    facts = informed(connected_clients=connected, maxclients=most, rejected_connections=rejected)
    verdict = finding(facts, "clients").verdict
    assert (verdict is Verdict.FAIL) == (100 * connected > 95 * most)
    assert (verdict is Verdict.PASS) == (100 * connected <= 80 * most and rejected == 0)


@given(stray=SIZES, limit=SIZES)
def test_a_tenth_of_the_memory_may_never_expire(stray, limit):
    facts = replace(with_limit(limit), sample=KeySample(10, 10, 10, stray, ("k",)))
    assert (finding(facts, "keys.expiry").verdict is Verdict.WARN) == (10 * stray > limit)


@given(completed=COUNTS, failed=COUNTS, events=COUNTS, wanted=COUNTS, size=SIZES)
def test_a_queue_warns_of_what_is_too_much_and_names_it(completed, failed, events, wanted, size):
    queue = QueueKeys("bull:m", completed, failed, events, size, wanted, ())
    facts = replace(HEALTHY, queues=(queue,))
    retention, stream = finding(facts, "bullmq.retention"), finding(facts, "bullmq.events")
    assert (retention.verdict is Verdict.WARN) == (max(completed, failed) > 10_000)
    assert (stream.verdict is Verdict.WARN) == (events > 2 * wanted or size > 10 * 2**20)
    for one in (retention, stream):
        assert one.verdict is Verdict.PASS or "bull:m" in one.seen + one.do


@given(name=st.sampled_from(sorted(INFO)), value=st.none() | WEIRD)
def test_a_surprising_field_of_info_never_ends_the_look(name, value):
    changed = {key: text for key, text in INFO.items() if key != name}
    if value is not None:
        changed[name] = value
    report = checks.check(Spec(), replace(HEALTHY, info=changed))
    assert {one.verdict for one in report.findings} <= set(SEVERITY)


@given(name=st.sampled_from(sorted(CONFIG)), value=WEIRD)
def test_a_surprising_setting_never_ends_the_look(name, value):
    report = checks.check(Spec(), configured(**{name: value}))
    assert all(one.seen for one in report.findings)


@given(name=st.sampled_from(sorted(set(INFO) - {"valkey_version", "redis_version"})))
def test_a_field_that_is_missing_is_unknown_and_never_a_pass(name):
    without = {key: text for key, text in INFO.items() if key != name}
    here = checks.check(Spec(), replace(HEALTHY, info=without))
    if name == "total_system_memory":  # this machine says it better
        assert here.verdict is Verdict.PASS
    else:
        assert here.verdict is Verdict.UNKNOWN


def test_without_any_fact_every_check_is_unknown():
    nothing = Unseen("nothing answers")
    facts = replace(
        HEALTHY, ping=nothing, config=nothing, info=nothing, machine=nothing, scrape=nothing,
        password_required=nothing, round_trip=nothing, job=nothing, features=nothing,
        sample=nothing, queues=nothing,
    )  # fmt: skip
    report = checks.check(Spec(), facts)
    assert {one.verdict for one in report.findings} == {Verdict.UNKNOWN}
    assert all(one.seen == one.seen.strip() != "" and one.do for one in report.findings)
