"""Loads of both languages on the same queues, and what they write of every job."""

import subprocess
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from sturdis.adapters.drill import ledger_log, load_process, survey
from sturdis.adapters.drill.load_process import LoadProcess
from sturdis.core.address import Address, Tls
from sturdis.core.drill import load as loads
from sturdis.core.drill.events import Acknowledged, Done, FailedOnPurpose, InDoubt, Intent, Rejected
from sturdis.core.drill.ledger import Fate, Unpromised
from sturdis.core.drill.load import Kind
from sturdis.core.errors import DrillError
from tests import slow_disk
from tests.integration.loads import (
    NODE,
    PYTHON,
    QUEUES,
    account,
    command_of,
    drain,
    events_in,
    load,
    plan,
    wait_for_events,
)
from tests.integration.servers import LOOPBACK, Server, start_server
from tests.integration.tls_servers import Authority, start_tls_server

pytestmark = pytest.mark.tier("embedded")

SLOW_FSYNC = 200
"""Milliseconds."""

languages = pytest.mark.parametrize("language", [PYTHON, NODE])
pairs = pytest.mark.parametrize(
    ("producer", "worker"),
    [
        pytest.param("python", "python"),
        pytest.param("python", "node", marks=pytest.mark.tier("node")),
        pytest.param("node", "python", marks=pytest.mark.tier("node")),
        pytest.param("node", "node", marks=pytest.mark.tier("node")),
    ],
)


@pytest.fixture
def server(tmp_path):
    with start_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
def address(server):
    return Address(LOOPBACK, server.port)


@pairs
def test_every_kind_of_job_of_one_language_is_processed_by_the_other(
    producer, worker, server, address, tmp_path
):
    log = tmp_path / "log"
    with (
        load(server, log, producer, writer="adds", workers=0, rate=200.0) as adds,
        load(server, log, worker, writer="works", rate=0.0) as works,
    ):
        wait_for_events(log, Done, 100)
        adds.stop_adding()
        adds.wait_until_added(20)
        drain(address)
        adds.end()
        works.end()
    asked = [event for event in ledger_log.read(log).events if isinstance(event, Intent)]
    assert {event.kind for event in asked} == {*(kind.value for kind in Kind), "child"}
    told = account(address, log)
    assert told.fates == {Fate.PROCESSED: len(asked)}
    assert told.unpromised == Unpromised(0, 0, 0, 0)
    assert (told.duplicates, told.done_twice) == ({}, 0)
    assert (told.parents_early, told.delayed_early, told.strangers) == ((), (), ())


@languages
def test_a_load_adds_what_its_seed_says(language, server, tmp_path):
    log = tmp_path / "log"
    with load(server, log, language, rate=200.0, workers=0, seed=7) as adds:
        wait_for_events(log, Acknowledged, 100)
        adds.stop_adding()
        adds.wait_until_added(20)
        adds.end()
    wanted = plan(server, log, language, rate=200.0, workers=0, seed=7)
    asked = [event for event in ledger_log.read(log).events if isinstance(event, Intent)]
    firsts = [event for event in asked if not event.parent]
    children = Counter(event.parent for event in asked if event.parent)
    orders = [loads.order(wanted, number) for number in range(len(firsts))]
    assert Counter((one.kind, one.queue, one.delay) for one in firsts) == Counter(
        (one.kind.value, one.queue, one.delay) for one in orders
    )
    flows = {event.uuid for event in firsts if event.kind == Kind.FLOW.value}
    assert children == dict.fromkeys(flows, loads.CHILDREN)


@languages
def test_a_retried_job_fails_as_often_as_ordered_and_is_no_duplicate(
    language, server, address, tmp_path
):
    log = tmp_path / "log"
    with load(server, log, language, mix=(Kind.RETRIED,), rate=100.0) as adds:
        wait_for_events(log, Done, 20)
        adds.stop_adding()
        adds.wait_until_added(20)
        drain(address)
        adds.end()
    told = account(address, log)
    wanted = plan(server, log, language, mix=(Kind.RETRIED,))
    orders = [loads.order(wanted, number) for number in range(told.asked)]
    assert events_in(log, FailedOnPurpose) == sum(one.failures for one in orders)
    assert (told.fates, told.duplicates) == ({Fate.PROCESSED: told.asked}, {})


@languages
def test_a_refusal_at_maxmemory_is_definite_and_nothing_of_it_is_there(
    language, server, address, tmp_path
):
    log = tmp_path / "log"
    server.call("CONFIG", "SET", "maxmemory", "1")
    with load(server, log, language, mix=(Kind.PLAIN,), workers=0) as adds:
        wait_for_events(log, Rejected, 20)
        adds.stop_adding()
        adds.wait_until_added(20)
    refused = [event for event in ledger_log.read(log).events if isinstance(event, Rejected)]
    assert all(event.reason.startswith("OOM command not allowed") for event in refused)
    told = account(address, log)
    assert told.unpromised == Unpromised(0, 0, told.asked, 0)


@languages
def test_adds_that_never_get_an_answer_are_in_doubt(language, server, tmp_path):
    log = tmp_path / "log"
    with load(server, log, language, mix=(Kind.PLAIN,), workers=0, settle=100) as adds:
        wait_for_events(log, Acknowledged, 5)
        server.kill()
        answered = events_in(log, Acknowledged)
        wait_for_events(log, Intent, answered + 10)
        adds.stop_adding()
        adds.wait_until_added(20)
    doubts = [event for event in ledger_log.read(log).events if isinstance(event, InDoubt)]
    assert len(doubts) == events_in(log, Intent) - events_in(log, Acknowledged) >= 9
    assert {event.reason for event in doubts} == {"never settled"}


@languages
def test_a_load_that_is_killed_leaves_no_job_without_an_intent_and_no_done_untold(
    language, server, address, tmp_path
):
    log = tmp_path / "log"
    with load(server, log, language, rate=500.0, adds_at_once=200) as killed:
        wait_for_events(log, Done, 50)
        killed.kill()
    told = account(address, log)
    assert told.strangers == ()
    assert told.fates[Fate.UNTOLD] == told.fates[Fate.LOST] == 0
    assert told.fates[Fate.PROCESSED] >= 50


@pytest.mark.tier("compiler")
@languages
def test_no_add_is_sent_and_no_work_is_told_before_the_log_is_on_disk(
    language, server, address, tmp_path
):
    log = tmp_path / "log"
    slow = slow_disk.library(tmp_path, "fsync", SLOW_FSYNC)
    command = ("env", f"LD_PRELOAD={slow}", *command_of(language))
    wanted = plan(server, log, language, mix=(Kind.PLAIN,), rate=20.0)
    with LoadProcess(command, wanted) as slowly:
        wait_for_events(log, Done, 10)
        slowly.stop_adding()
        slowly.wait_until_added(20)
        drain(address)
        slowly.end()
    told = ledger_log.read(log).events
    begun = {event.uuid: event.at for event in told if isinstance(event, Intent)}
    done = {event.uuid: event.at for event in told if isinstance(event, Done)}
    for job in survey.take(address, "bull", QUEUES).jobs:
        added, finished = times_in_redis(server, job.job_id, job.uuid)
        assert added - begun[job.uuid] >= SLOW_FSYNC
        assert finished - done[job.uuid] >= SLOW_FSYNC


def times_in_redis(server: Server, job_id: str, uuid: str) -> tuple[int, int]:
    """Give when the client made the job and when it was finished, of the queue that has it."""
    for queue in QUEUES:
        fields = ("data", "timestamp", "finishedOn")
        found = server.call("HMGET", f"bull:{queue}:{job_id}", *fields)
        assert isinstance(found, tuple)
        data, added, finished = found
        if isinstance(data, bytes) and uuid.encode() in data:
            assert isinstance(added, bytes)
            assert isinstance(finished, bytes)
            return int(added), int(finished)
    raise AssertionError(f"no job {job_id} with {uuid}")


@languages
def test_a_load_ends_by_itself_when_who_started_it_is_gone(language, server, tmp_path):
    with load(server, tmp_path / "log", language) as adds:
        adds.end()  # closes its input, as the end of the other process does
    assert adds.status == 0


@languages
@pytest.mark.tier("redis-server")
def test_a_load_reaches_a_server_over_tls(language, tmp_path):
    log, authority = tmp_path / "log", Authority(tmp_path / "ca")
    files = authority.certificate("server", LOOPBACK)
    with start_tls_server(tmp_path / "data", authority, files, clients="yes") as server:
        shown = Tls(authority.ca, *authority.certificate("client", "client"))
        with load(Address(LOOPBACK, server.port, tls=shown), log, language):
            wait_for_events(log, Done, 5)


@languages
def test_a_load_reaches_a_server_at_a_socket(language, tmp_path):
    log, socket = tmp_path / "log", str(tmp_path / "socket")
    with (
        start_server(tmp_path / "data", "--unixsocket", socket),
        load(Address("", path=socket), log, language),
    ):
        wait_for_events(log, Done, 5)


@languages
def test_a_password_is_in_no_log_and_on_no_command_line(language, server, tmp_path):
    log, word = tmp_path / "log", "not-to-be-seen"
    server.call("CONFIG", "SET", "requirepass", word)
    address = Address(LOOPBACK, server.port, password=word)
    with load(address, log, language) as adds:
        wait_for_events(log, Done, 5)
        assert word.encode() not in Path(f"/proc/{adds.pid}/cmdline").read_bytes()
        adds.stop_adding()
        adds.wait_until_added(20)
        adds.end()
    assert all(word not in path.read_text() for path in log.iterdir())


@languages
def test_a_load_that_cannot_write_its_log_says_why(language, server, tmp_path):
    log = tmp_path / "log"
    log.mkdir()
    (log / f"{language}{ledger_log.SUFFIX}").touch()
    with pytest.raises(DrillError) as failed, load(server, log, language):
        pass
    assert failed.value.code == "drill.load_failed"
    assert "exist" in failed.value.why.lower()


def test_a_folder_without_bullmq_is_told_with_what_to_type(tmp_path):
    with pytest.raises(DrillError) as failed:
        load_process.node(tmp_path)
    assert failed.value.code == "drill.load_failed"
    assert "npm install bullmq" in failed.value.do


@pytest.mark.parametrize("language", [PYTHON, NODE])
def test_the_word_end_ends_a_load_as_the_end_of_its_input_does(language, server, tmp_path):
    wanted = msgspec.json.encode(plan(server, tmp_path, language)) + b"\n"
    with subprocess.Popen(
        command_of(language), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(wanted + b"stop adding\n" + loads.END)
        process.stdin.flush()
        assert process.stdout.read() == b"ready\nadded\n"
        assert process.wait() == 0
