"""What a doctor says of a server that was looked at twice."""

import subprocess
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.bullmq import cleaning
from sturdis.core.bullmq.search import Queue
from sturdis.core.doctor import judging
from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.live import Client, Glance, Held, Latency, Live, QueueLook, QueueLooks
from sturdis.core.doctor.running import ServerSight
from sturdis.core.facts import NOT_TRIED, NotVisible, Unseen
from sturdis.core.spec import Spec
from tests.core import healthy

MAILS = Queue("bull", "mails")
NAME = "bull:bWFpbHM="
ELSEWHERE = NotVisible("elsewhere")

COUNTS = {"waiting": 3, "active": 1, "completed": 5}

CALM = QueueLook(
    MAILS, {"waiting": 3, "active": 1, "completed": 5},
    next_jobs=("7",), counter=9, highest=9, active=frozenset({"6"}),
)  # fmt: skip
IDLE = replace(CALM, active=frozenset())


def client(name: str = "", **more: Any) -> Client:
    given: dict[str, Any] = {
        "address": "10.0.0.7:4000", "idle": 1, "command": "get", "flags": "N", "library": "",
        "pending": 0,
    }  # fmt: skip
    return Client(name=name, **(given | more))


WORKER = client(NAME, command="bzpopmin", flags="b", library="ioredis")


def glances(syncing: int, count: int) -> list[Glance]:
    return [Glance(number / 10, None, 0, number < syncing) for number in range(count)]


def sight(**live: Any) -> ServerSight:
    info = dict(healthy.INFO)
    given: dict[str, Any] = {
        "seconds": 2.0,
        "before": info,
        "after": info,
        "glances": glances(1, 20),
    }
    facts = replace(healthy.HEALTHY, round_trip=NOT_TRIED, features=NOT_TRIED, job=NOT_TRIED)
    return ServerSight("x", "sturdis doctor x", facts, Live(**(given | live)), ELSEWHERE)


def found(seen: ServerSight) -> list[Diagnosis]:
    return list(judging.judge_server(Spec(), seen).found)


def ids(seen: ServerSight) -> list[str]:
    return [one.id for one in found(seen)]


def only(seen: ServerSight) -> Diagnosis:
    (one,) = found(seen)
    return one


def queue(before: QueueLook, after: QueueLook | None = None, **more: Any) -> tuple[QueueLooks]:
    return (QueueLooks(before, after or before, **more),)


def risen(**fields: str) -> dict[str, object]:
    return {"before": dict(healthy.INFO), "after": healthy.INFO | fields}


def test_nothing_is_wrong_with_what_is_healthy_and_busy():
    told = judging.judge_server(Spec(), sight(queues=queue(CALM), clients=[WORKER]))
    assert (told.found, told.unseen, told.exit_status) == ((), (), 0)


@pytest.mark.parametrize("word", ["OOM", "READONLY", "NOREPLICAS", "MISCONF"])
def test_an_error_counts_while_it_rises_and_no_longer(word):
    field = f"errorstat_{word}"
    told = only(sight(**risen(**{field: "count=20000"})))
    assert (told.id, told.severity) == ("errors.rising", Severity.CRITICAL)
    assert "10000 a second; clients try again without a pause" in told.seen
    same = healthy.INFO | {field: "count=20000"}
    assert ids(sight(before=same, after=same)) == []
    slowly = only(sight(**risen(**{field: "count=2"})))
    assert "1 a second" in slowly.seen
    assert "without a pause" not in slowly.seen


@pytest.mark.parametrize("held", [replace(IDLE, is_paused=True), replace(IDLE, is_limited=True)])
def test_a_queue_that_is_held_back_has_no_stuck_jobs(held):
    assert ids(sight(queues=queue(held))) == []


@pytest.mark.parametrize(
    "after",
    [
        replace(IDLE, next_jobs=("8",)),
        replace(IDLE, counts=COUNTS | {"completed": 6}),
        CALM,
        replace(IDLE, counts={"waiting": 0}),
    ],
)
def test_a_queue_that_moves_is_served(after):
    assert ids(sight(queues=queue(IDLE, after))) == []


def test_jobs_that_nobody_takes_are_told_with_who_is_connected():
    stuck = queue(IDLE)
    assert only(sight(queues=stuck, clients=[client()])).id == "workers.none"
    told = only(sight(queues=stuck, clients=[WORKER, client()]))
    assert (told.id, told.severity) == ("workers.idle", Severity.CRITICAL)
    assert "1 connections of its workers: 10.0.0.7:4000 blocked in bzpopmin, 1 s" in told.seen
    assert "client kill addr 10.0.0.7:4000" in told.do


@pytest.mark.parametrize(
    ("name", "own"),
    [
        (NAME, True),
        (f"{NAME}:w:a", True),
        (f"{NAME}:qe", False),
        ("bull:mails", True),
        ("bull:mails:w:a", True),
        ("", False),
        ("bull:eA==", False),
    ],
)
def test_a_worker_is_known_by_its_name(name, own):
    assert CALM.is_worker(client(name)) is own


JOBS = [
    ({"highest": 12}, "ids.behind", "incrby bull:mails:id 1000003"),
    ({"missing": frozenset({"4"})}, "jobs.missing", "lrem bull:mails:wait 0 4"),
    ({"twice": frozenset({"4"})}, "jobs.twice", "lrem bull:mails:wait 1 4"),
    ({"legacy": ("a::::0 1 * * *",)}, "repeat.legacy", "upsertJobScheduler"),
]


@pytest.mark.parametrize(("change", "name", "do"), JOBS)
def test_a_job_out_of_place_is_told_with_what_puts_it_right(change, name, do):
    told = only(sight(queues=queue(replace(CALM, **change))))
    assert (told.id, do in told.do) == (name, True), told


@pytest.mark.parametrize("field", ["missing", "twice", "unlocked"])
def test_what_is_odd_in_one_look_alone_was_on_its_way(field):
    change: dict[str, Any] = {field: frozenset({"4"})}
    odd = replace(CALM, active=frozenset({"4", "6"}), **change)
    assert ids(sight(queues=queue(odd, CALM))) == []
    assert ids(sight(queues=queue(CALM, odd))) == []


def test_a_stalled_job_is_found_by_a_worker_and_by_nobody_else():
    stalled = replace(CALM, active=frozenset({"4"}), unlocked=frozenset({"4"}), counts={})
    assert only(sight(queues=queue(stalled), clients=[WORKER])).severity is Severity.MINOR
    alone = only(sight(queues=queue(stalled)))
    assert (alone.id, alone.severity) == ("jobs.stalled", Severity.CRITICAL)
    assert "1 of 1 active jobs have no lock: 4" in alone.seen


def test_an_orphan_is_told_with_how_many_were_looked_at():
    told = only(sight(queues=queue(CALM, orphans=frozenset({"3"}), judged=200)))
    assert (told.id, "1 of 200 jobs looked at: 3" in told.seen) == ("jobs.orphaned", True)


@pytest.mark.parametrize(
    ("live", "sign"),
    [
        (risen(aof_delayed_fsync="2"), "rose by 2"),
        ({"glances": glances(12, 20)}, "12 of 20 glances"),
        ({"latencies": {"aof-fsync-always": Latency(3, 2500, 4000)}}, "2500 ms, 3 s ago"),
    ],
)
def test_a_slow_disk_shows_in_three_ways(live, sign):
    told = found(sight(**live))
    assert (told[0].id, sign in told[0].seen) == ("disk.slow", True)


def test_a_disk_that_was_slow_long_ago_is_no_news():
    assert (
        ids(sight(glances=glances(2, 20), latencies={"aof-write": Latency(600, 2500, 4000)})) == []
    )
    assert ids(sight(glances=glances(3, 4))) == []


HELD = (
    Held("completed of bull:mails", MAILS, "completed", 90_000, 40 << 20, 1 << 20),
    Held("failed of bull:mails", MAILS, "failed", 900, 4 << 20, 0, children=2),
    Held("waiting of bull:mails", MAILS, "waiting", 90_000, 50 << 20),
    Held("events of bull:mails", MAILS, "events", 10_000, 54 << 20),
    Held("keys of no queue", None, "keys", 3, 30 << 20),
)


def full(**live: Any) -> Diagnosis:
    seen = sight(held=HELD, **live)
    info = healthy.INFO | {"used_memory": "640000000"}
    (told,) = found(replace(seen, server=replace(seen.server, info=info)))
    return told


def test_a_full_memory_is_told_with_what_holds_it_and_what_may_go():
    told = full()
    assert told.id == "memory.full"
    assert "events of bull:mails: 10000 take 54Mi\n" in told.seen
    assert "completed of bull:mails: 90000 take 40Mi ± 1Mi" in told.seen
    assert told.seen.index("events of") < told.seen.index("waiting of")
    assert told.do.splitlines()[0] == "sturdis cli xtrim bull:mails:events maxlen 1000"
    assert cleaning.clean(MAILS, "completed") in told.do
    assert "leave failed of bull:mails: 2 of those" in told.do
    assert "waiting" not in told.do
    assert "queues were searched among" in full(partly="queues were searched among 5 keys").seen


def test_without_a_limit_what_holds_the_memory_is_told_as_well():
    seen = sight(held=HELD)
    config = healthy.CONFIG | {"maxmemory": "0"}
    told = found(replace(seen, server=replace(seen.server, config=config)))
    (unset,) = (one for one in told if one.id == "maxmemory.unset")
    assert "events of bull:mails: 10000 take 54Mi" in unset.seen
    assert unset.do.startswith("sturdis cli config set maxmemory ")


@pytest.mark.parametrize("state", ["waiting", "delayed", "active", "prioritized"])
def test_work_that_was_promised_is_never_cleaned(state):
    with pytest.raises(ValueError, match="not finished"):
        cleaning.clean(MAILS, state)


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20))
def test_a_command_that_cleans_is_one_word_to_a_shell(name):
    command = cleaning.clean(Queue("bull", name), "failed")
    words = subprocess.run(
        ["sh", "-c", f"set -- {command}; echo $#"], capture_output=True, text=True, check=True
    )
    assert words.stdout == "3\n"


@pytest.mark.parametrize(
    ("live", "name"),
    [
        (risen(total_connections_received="100"), "clients.churn"),
        ({"clients": [client(idle=100) for _ in range(100)]}, "clients.leak"),
        ({"clients": [client(pending=20 << 20)]}, "clients.slow"),
        ({"clients": [client(flags="O", command="monitor")]}, "clients.slow"),
        ({"clients": [client(flags="b", command="bzpopmin")]}, "clients.contract"),
        ({"clients": [client(flags="b", command="brpoplpush")]}, "clients.contract"),
        ({"after": healthy.INFO | {"mem_clients_normal": str(90 << 20)}}, "memory.buffers"),
        (
            {"after": healthy.INFO | {"used_memory": "900000000", "used_memory_rss": "1800000000"}},
            "memory.fragmented",
        ),
    ],
)  # fmt: skip
def test_what_connections_cost_is_told(live, name):
    assert ids(sight(**live)) == [name]


def test_a_pool_that_fills_is_no_churn():
    grown = risen(total_connections_received="100", connected_clients="104")
    assert ids(sight(**grown)) == []


def test_what_may_not_be_seen_is_told_and_the_rest_is_judged():
    hidden = Unseen("CLIENT LIST is refused: NOPERM")
    told = judging.judge_server(Spec(), sight(clients=hidden, queues=queue(CALM)))
    assert (told.unseen, told.exit_status) == ((hidden,), 3)
    lost = Unseen("LOADING")
    told = judging.judge_server(Spec(), replace(sight(), live=lost))
    assert told.unseen == (lost,)
