"""Faults that are brought about on a real server, each with the alerts that are to fire on it."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from bullmq import Queue

from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.replies import ErrorReply
from tests.core.alert_cases import QUEUES
from tests.integration.servers import LOOPBACK, Server, wait_until

ODD = QUEUES[1]


def url_of(server: Server) -> str:
    return f"redis://{LOOPBACK}:{server.port}"


async def add(server: Server, count: int, **options: int) -> list[BaseException | None]:
    """Let BullMQ add jobs; give what it raised for each."""
    queue = Queue(ODD, {"connection": url_of(server)})
    try:
        added = [queue.add("job", {"text": "x" * 1000}, options) for _ in range(count)]
        given = await asyncio.gather(*added, return_exceptions=True)
    finally:
        await queue.close()
    return [one if isinstance(one, BaseException) else None for one in given]


def fill_a_queue(server: Server) -> None:
    assert set(asyncio.run(add(server, 3))) == {None}
    assert set(asyncio.run(add(server, 3, priority=2))) == {None}


def fill_the_memory(server: Server) -> None:
    server.call("CONFIG", "SET", "maxmemory", int(server.info("memory")["used_memory"]))
    refused = asyncio.run(add(server, 3))
    assert all("OutOfMemory" in repr(error) or "OOM" in repr(error) for error in refused), refused


def have_no_limit(server: Server) -> None:
    server.call("CONFIG", "SET", "maxmemory", 0)


def use_most_of_the_memory(server: Server) -> None:
    server.call("SET", "large", "x" * 20_000_000)
    used = int(server.info("memory")["used_memory"])
    server.call("CONFIG", "SET", "maxmemory", used * 100 // 85)


def follow_another(server: Server) -> None:
    server.call("REPLICAOF", LOOPBACK, 1)
    assert isinstance(server.call("SET", "a", "b"), ErrorReply)


def evict(server: Server) -> None:
    with Link(Address(LOOPBACK, server.port)) as link:
        link.call_all([("SET", f"key:{number}", "x" * 1000) for number in range(1000)])
        used = int(server.info("memory")["used_memory"])
        link.call("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
        link.call("CONFIG", "SET", "maxmemory", used - 500_000)
        link.call("SET", "one", "more")
        link.call("CONFIG", "SET", "maxmemory", "200mb")
    assert server.info("stats")["evicted_keys"] != "0"


def reject(server: Server) -> None:
    with Link(Address(LOOPBACK, server.port)) as link:
        link.call("CONFIG", "SET", "maxclients", int(server.info("clients")["connected_clients"]))
        with contextlib.ExitStack() as connected:
            wait_until(lambda: turned_away(server, connected), "a connection to be turned away")
        link.call("CONFIG", "SET", "maxclients", 5000)


def turned_away(server: Server, connected: contextlib.ExitStack) -> bool:
    one = connected.enter_context(socket.create_connection((LOOPBACK, server.port)))
    one.sendall(b"PING\r\n")
    return one.recv(100).startswith(b"-ERR max number")


def switch_appendonly_off(server: Server) -> None:
    server.call("CONFIG", "SET", "appendonly", "no")


def kill_a_rewrite(server: Server) -> None:
    server.call("SET", "a", "b")
    server.call("CONFIG", "SET", "rdb-key-save-delay", 10_000_000)
    server.call("BGREWRITEAOF")
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    wait_until(lambda: children.read_text() != "", "the rewrite")
    for child in children.read_text().split():
        os.kill(int(child), signal.SIGKILL)
    wait_until(lambda: persistence(server, "aof_last_bgrewrite_status") == "err", "its end")


def fill_the_disk(server: Server) -> None:
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1, 1))
    server.call("SET", "a", "b")
    wait_until(lambda: persistence(server, "aof_last_write_status") == "err", "MISCONF")


def wait_for_the_disk(server: Server) -> None:
    def delayed() -> bool:
        server.call("INCR", "a")
        return persistence(server, "aof_delayed_fsync") != "0"

    wait_until(delayed, "a write that is held up", seconds=30)


def persistence(server: Server, field: str) -> str:
    return server.info("persistence")[field]


def refuse_scripts(server: Server) -> None:
    server.call("ACL", "SETUSER", "default", "-eval")


def die(server: Server) -> None:
    server.kill()


FAULTS: dict[str, tuple[Callable[[Server], None], tuple[str, ...]]] = {
    "a-queue-fills": (fill_a_queue, ("RedisQueueDepthHigh",)),
    "the-memory-is-full": (fill_the_memory, ("RedisOutOfMemoryErrors", "RedisMemoryHigh")),
    "the-memory-fills": (use_most_of_the_memory, ("RedisMemoryHigh",)),
    "no-limit": (have_no_limit, ("RedisMaxmemoryUnset",)),
    "a-replica": (follow_another, ("RedisReadOnlyErrors",)),
    "keys-are-evicted": (evict, ("RedisKeysEvicted",)),
    "connections-are-rejected": (reject, ("RedisConnectionsRejected",)),
    "appendonly-off": (switch_appendonly_off, ("RedisAofDisabled",)),
    "a-rewrite-fails": (kill_a_rewrite, ("RedisAofRewriteFailing",)),
    "the-disk-is-full": (fill_the_disk, ("RedisAofWriteFailing",)),
    "jobs-are-not-counted": (refuse_scripts, ("RedisQueueDepthUnknown", "RedisDown")),
    "the-server-dies": (die, ("RedisDown",)),
}
