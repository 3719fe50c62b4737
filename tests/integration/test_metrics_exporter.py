"""Our metrics of a server, value by value against the real redis_exporter's of the same server."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sturdis.adapters.redis.link import Link
from sturdis.core import address as addresses
from sturdis.core import info
from sturdis.core.address import Address
from sturdis.core.metrics import queues, server
from tests.integration.running import SERVERS, running
from tests.integration.scrapes import Scraped, exporter, scrape
from tests.integration.servers import start_server, wait_until

OWN = {server.SCRAPES.name, server.SCRAPE_SECONDS.name, server.SCRAPE_ERROR.name}
"""Told of the endpoint itself; only their kinds and labels can be the same."""

NEAR = {
    "redis_memory_used_bytes": 0.05,
    "redis_memory_used_peak_bytes": 0.05,
    "redis_memory_used_rss_bytes": 0.05,
    "redis_memory_used_dataset_bytes": 0.05,
    "redis_memory_used_overhead_bytes": 0.1,
    "redis_mem_fragmentation_ratio": 0.1,
    "redis_mem_fragmentation_bytes": 0.2,
    "redis_allocator_frag_ratio": 0.1,
    "redis_mem_clients_normal": 0.6,
    "redis_db_avg_ttl_seconds": 0.05,
}
"""Go up and down by themselves, as connections come and go: how far from the exporter's, as a part
of it. The server holds 10 MB, so that each is far from the others."""

QUIET = {
    "redis_aof_buffer_length", "redis_aof_current_rewrite_duration_sec", "redis_aof_delayed_fsync",
    "redis_aof_last_cow_size_bytes", "redis_aof_last_rewrite_duration_sec",
    "redis_aof_pending_bio_fsync", "redis_aof_pending_rewrite", "redis_aof_rewrite_in_progress",
    "redis_aof_rewrite_scheduled", "redis_cpu_sys_children_seconds_total",
    "redis_cpu_user_children_seconds_total", "redis_lazyfree_pending_objects",
    "redis_loading_dump_file", "redis_mem_not_counted_for_eviction_bytes",
    "redis_rdb_bgsave_in_progress", "redis_rdb_last_bgsave_duration_sec",
}  # fmt: skip
"""May be 0 or -1 after `busy`; every other metric of one field is not."""


@contextlib.contextmanager
def busy(at: Address, link: Link, server: str, folder: Path) -> Iterator[None]:
    """Bring a server into a state in which as little as possible is 0."""
    link.call_all([("SET", f"key:{number}", "x" * 2000) for number in range(5000)])
    link.call_all([("SET", f"old:{number}", "x", "PX", 1) for number in range(20)])
    link.call_all([("SET", f"new:{number}", "x", "EX", 1000) for number in range(30)])
    wait_until(lambda: told(link, "stats")["expired_keys"] == "20", "the expiry")
    with Link(Address(at.host, at.port, db=3)) as other:
        other.call_all([("SET", "a", "1"), ("SET", "b", "1", "EX", 2000)])
    link.call_all(
        [("GET", "key:1"), ("GET", "nothing"), ("GET", "nothing"), ("LPUSH", "key:1", "x")]
    )
    link.call_all([("NOSUCH",), ("GET",)])
    evict(link)
    wait_until(lambda: told(link, "server")["uptime_in_seconds"] != "0", "the first second")
    link.call("BGREWRITEAOF")
    wait_until(lambda: told(link, "persistence")["aof_rewrite_in_progress"] == "0", "the rewrite")
    link.call("BGSAVE")
    wait_until(lambda: told(link, "persistence")["rdb_bgsave_in_progress"] == "0", "the snapshot")
    link.call("SET", "after", "the save")
    reject_one(at, link)
    link.call("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    with (
        start_server(folder, "--replicaof", f"{at.host} {at.port}", server=server),
        socket.create_connection((at.host, at.port)) as blocked,
    ):
        blocked.sendall(b"BLPOP nothing 0\r\n")
        wait_until(lambda: told(link, "clients")["blocked_clients"] == "1", "a blocked client")
        wait_until(lambda: "online" in told(link, "replication").get("slave0", ""), "the replica")
        link.call("SET", "replicated", "1")
        wait_until(lambda: told(link, "persistence")["aof_pending_bio_fsync"] == "0", "the fsync")
        yield


def told(link: Link, section: str) -> dict[str, str]:
    text = link.call("INFO", section)
    assert isinstance(text, bytes)
    return info.parse(text.decode())


def evict(link: Link) -> None:
    """Let the server drop some keys, and put its limit back."""
    used = int(told(link, "memory")["used_memory"])
    link.call_all([
        ("CONFIG", "SET", "maxmemory-policy", "allkeys-random"),
        ("CONFIG", "SET", "maxmemory", used - 500_000),
        ("SET", "one", "more"),
        ("CONFIG", "SET", "maxmemory", 600_000_000),
        ("CONFIG", "SET", "maxmemory-policy", "noeviction"),
    ])  # fmt: skip
    assert int(told(link, "stats")["evicted_keys"]) > 0


def reject_one(at: Address, link: Link) -> None:
    """Let the server turn one connection away."""
    link.call("CONFIG", "SET", "maxclients", told(link, "clients")["connected_clients"])
    with socket.create_connection((at.host, at.port)) as rejected:
        assert rejected.recv(100).startswith(b"-ERR max number of clients")
    link.call("CONFIG", "SET", "maxclients", 5000)


def differences(before: Scraped, ours: Scraped, after: Scraped) -> list[str]:
    """Name every value of ours that is not the exporter's, which was asked before and after."""
    found = []
    for (name, labels), value in ours.values.items():
        if name in OWN or name.startswith("bullmq_"):
            continue
        if (name, labels) not in after.values:
            found.append(f"{name} {sorted(labels)} is not the exporter's")
            continue
        known = [
            one.values[name, labels] for one in (before, after) if (name, labels) in one.values
        ]
        least, most = min(known), max(known)
        if name == "redis_connected_clients":  # theirs is one of them
            least, most = least - 1, most - 1
        if name == "redis_start_time_seconds":  # the difference of two times cut to seconds
            least, most = least - 1, most + 1
        margin = NEAR.get(name, 0) * most
        if not least - margin <= value <= most + margin:
            found.append(f"{name} {sorted(labels)} is {value}, of the exporter {known}")
    return found


@pytest.mark.tier("exporter")
@pytest.mark.parametrize("server_path", SERVERS)
def test_every_value_is_the_exporters(server_path, tmp_path):
    with (
        running("--ephemeral", "--server", server_path) as up,
        Link(addresses.parse(up.url)) as link,
        exporter(up.url) as url,
        busy(addresses.parse(up.url), link, server_path, tmp_path / "replica"),
    ):
        scrape(up.ready["metrics"])  # so that both have sent each of their commands once
        before = scrape(url)
        wait_until(lambda: b"redis_exporter" not in client_list(link), "the exporter to hang up")
        ours = scrape(up.ready["metrics"])
        after = scrape(url)
    assert differences(before, ours, after) == []
    single = {one.metric.name for one in server.FIELDS}
    still = {name for name in single if ours.value(name) <= 0}
    assert still <= QUIET, "nothing is shown by a 0 that is a 0 everywhere"
    served = {name for name, _labels in ours.values}
    assert served == {one.name for one in (*server.METRICS, queues.LEFT_OUT)}
    for name in served - {queues.LEFT_OUT.name}:
        assert ours.kinds[name] == after.kinds[name], name
        if name != server.SCRAPE_ERROR.name:
            assert before.labelled(name) <= ours.labelled(name) <= after.labelled(name), name
    assert {dict(labels)["err"] for labels in ours.labelled("redis_errors_total")} >= {
        "ERR", "WRONGTYPE",
    }  # fmt: skip


def client_list(link: Link) -> bytes:
    reply = link.call("CLIENT", "LIST")
    assert isinstance(reply, bytes)
    return reply


def test_a_value_that_differs_is_named():
    name = ("redis_db_keys", frozenset({("db", "db0")}))
    one, two = Scraped({}, {name: 1}), Scraped({}, {name: 2})
    assert differences(one, one, one) == []
    assert differences(one, two, one) == [
        "redis_db_keys [('db', 'db0')] is 2, of the exporter [1, 1]"
    ]
    assert differences(one, one, Scraped({}, {})) == [
        "redis_db_keys [('db', 'db0')] is not the exporter's"
    ]
