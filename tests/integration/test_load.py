"""Loads of both languages on the same queues, and what they write of every job."""

from collections import Counter
from pathlib import Path

import pytest

from sturdis.adapters.drill import ledger_log, load_process
from sturdis.core.address import Address
from sturdis.core.drill import load as loads
from sturdis.core.drill.events import Acknowledged, Done, FailedOnPurpose, InDoubt, Intent, Rejected
from sturdis.core.drill.ledger import Fate, Unpromised
from sturdis.core.drill.load import Kind
from sturdis.core.errors import DrillError
from tests.integration.loads import (
    NODE,
    PYTHON,
    account,
    drain,
    events_in,
    load,
    plan,
    wait_for_events,
)
from tests.integration.servers import LOOPBACK, start_server

pytestmark = pytest.mark.tier("embedded")

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


@languages
def test_a_load_ends_by_itself_when_who_started_it_is_gone(language, server, tmp_path):
    with load(server, tmp_path / "log", language) as adds:
        adds.end()  # closes its input, as the end of the other process does
    assert adds.status == 0


@languages
def test_a_password_is_in_no_log_and_on_no_command_line(language, server, tmp_path):
    log, word = tmp_path / "log", "not-to-be-seen"
    server.call("CONFIG", "SET", "requirepass", word)
    address = Address(LOOPBACK, server.port, password=word)
    with load(server, log, language, address=address) as adds:
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
