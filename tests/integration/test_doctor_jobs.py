"""What `doctor` finds out of place among BullMQ's jobs on a real server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.examining import SETTINGS, add, examined, ids, told
from tests.integration.faults import url_of
from tests.integration.servers import Server, start_server

pytestmark = pytest.mark.tier("embedded")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with start_server(tmp_path / "data", *SETTINGS) as server:
        yield server


def test_jobs_of_a_queue_that_was_rolled_back_are_found_and_put_right(server):
    asyncio.run(add(url_of(server), 9))
    for command in (
        ("SET", "bull:mails:id", 3),
        ("LREM", "bull:mails:wait", 0, "1"),
        ("DEL", "bull:mails:6"),
        ("LPUSH", "bull:mails:wait", "5"),
        ("ZADD", "bull:mails:repeat", 1, "report::::0 1 * * *"),
        ("RPOPLPUSH", "bull:mails:wait", "bull:mails:paused"),
        ("HSET", "bull:mails:meta", "paused", 1),
        ("RPOPLPUSH", "bull:mails:wait", "bull:mails:active"),
    ):
        server.call(*command)
    found = examined(server)
    assert ids(found) == {
        "ids.behind", "jobs.orphaned", "jobs.missing", "jobs.twice", "repeat.legacy", "jobs.older",
        "jobs.stalled",
    }  # fmt: skip
    assert [one.id for one in found.found][:2] == ["ids.behind", "jobs.stalled"]
    assert "jobs looked at: 1" in told(found, "jobs.orphaned").seen
    words = told(found, "ids.behind").do.split(" cli ")[1].split()
    server.call(*words[words.index("incrby") :])
    assert "ids.behind" not in ids(examined(server))


def test_ids_that_no_counter_gave_are_no_reason_to_raise_it(server):
    asyncio.run(add(url_of(server), 2))
    for given in ("20261125205117000", "9" * 5000):
        server.call("HSET", f"bull:mails:{given}", "data", "{}")
        server.call("LPUSH", "bull:mails:wait", given)
    found = examined(server)
    assert ids(found) == {"workers.none"}
