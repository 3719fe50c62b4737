"""The survey finds every job of a drill, in whatever state, and nothing else."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sturdis.adapters.drill import survey
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.drill.events import State, SurveyedJob
from sturdis.core.errors import TargetError
from tests.integration.servers import LOOPBACK, start_server

pytestmark = pytest.mark.tier("embedded")

PREFIX, QUEUE = "drill[*]?", "one"
KEY = f"{PREFIX}:{QUEUE}"


@pytest.fixture
def server(tmp_path):
    with start_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
def address(server):
    return Address(LOOPBACK, server.port)


def put(server, job_id: str, uuid: str, state: State, *fields: str) -> None:
    server.call("HSET", f"{KEY}:{job_id}", "data", f'{{"uuid":"{uuid}","failures":0}}', *fields)
    match state:
        case State.ORPHAN:
            pass
        case State.WAIT | State.PAUSED | State.ACTIVE:
            server.call("LPUSH", f"{KEY}:{state.value}", job_id)
        case _:
            server.call("ZADD", f"{KEY}:{state.value}", 1, job_id)


def test_every_state_is_found_and_a_hash_in_none_is_an_orphan(server, address):
    for number, state in enumerate(State):
        put(server, str(number), f"uuid-{state.value}", state)
    jobs = survey.take(address, PREFIX, [QUEUE]).jobs
    assert {(job.uuid, job.state) for job in jobs} == {
        (f"uuid-{state.value}", state) for state in State
    }


def test_a_job_is_read_with_its_reason_and_its_counters(server, address):
    put(server, "7", "a", State.FAILED, "failedReason", "no such file", "ats", "3", "stc", "2")
    assert survey.take(address, PREFIX, [QUEUE]).jobs == (
        SurveyedJob("a", "7", State.FAILED, "no such file", starts=3, stalls=2),
    )


def test_a_uuid_added_twice_is_found_under_both_job_ids(server, address):
    put(server, "1", "a", State.COMPLETED)
    put(server, "2", "a", State.WAIT)
    jobs = survey.take(address, PREFIX, [QUEUE]).jobs
    assert [(job.job_id, job.state) for job in jobs] == [
        ("1", State.COMPLETED), ("2", State.WAIT),
    ]  # fmt: skip


def test_other_hashes_and_other_jobs_are_left_out(server, address):
    server.call("HSET", f"{KEY}:meta", "version", "bullmq:6")
    server.call("HSET", f"{KEY}:1:processed", "data", '{"uuid":"no"}')
    server.call("HSET", f"{KEY}:2", "data", '{"number":1}')
    server.call("HSET", f"{KEY}:3", "data", "[1]")
    server.call("HSET", f"{KEY}:4", "data", "no JSON")
    server.call("HSET", f"drill-a:{QUEUE}:5", "data", '{"uuid":"of another prefix"}')
    assert survey.take(address, PREFIX, [QUEUE]).jobs == ()


def test_jobs_still_to_be_done_are_counted(server, address):
    for number, state in enumerate(State):
        put(server, str(number), state.value, state)
    with Link(address) as link:
        assert survey.pending(link, PREFIX, [QUEUE, "empty"]) == 6


MOVE_ON = """
if redis.call('ZREM', KEYS[1], 'a') == 1 then redis.call('LPUSH', KEYS[2], 'a')
else redis.call('LREM', KEYS[2], 0, 'a'); redis.call('ZADD', KEYS[1], 1, 'a') end
"""


def test_a_job_that_moves_while_jobs_are_counted_is_counted(server, address):
    server.call("ZADD", f"{KEY}:delayed", 1, "a")
    done = threading.Event()

    def move_it() -> None:
        with Link(address) as link:
            while not done.is_set():
                link.call("EVAL", MOVE_ON, 2, f"{KEY}:delayed", f"{KEY}:wait")

    with ThreadPoolExecutor(1) as one, Link(address) as link:
        moving = one.submit(move_it)
        counts = {survey.pending(link, PREFIX, [QUEUE]) for _look in range(2000)}
        done.set()
        moving.result()
    assert counts == {1}


def test_a_server_that_refuses_to_show_its_jobs_is_no_empty_one(server):
    server.call("ACL", "SETUSER", "blind", "on", ">word", "~*", "+@all", "-scan")
    with pytest.raises(TargetError) as refused:
        survey.take(Address(LOOPBACK, server.port, 0, "blind", "word"), PREFIX, [QUEUE])
    assert refused.value.code == "target.refused"
