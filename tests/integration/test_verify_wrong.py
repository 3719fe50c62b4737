"""Servers that are wrong in one way each: exactly the check on it speaks."""

import contextlib
import json
import os
import resource
import subprocess
from pathlib import Path

import pytest

from sturdis.adapters.local import binaries
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.errors import TargetError
from sturdis.core.spec import Memory, Spec
from tests.integration.running import SERVERS, STURDIS
from tests.integration.servers import LOOPBACK, Server, start_server, wait_until
from tests.integration.verdicts import troubles

SPEC = Spec(memory=Memory(maxmemory=16 * 2**20))
WELL = (
    "--appendonly", "yes", "--aof-timestamp-enabled", "yes", "--tcp-keepalive", "60",
    "--maxmemory", "16mb",
)  # fmt: skip

pytestmark = pytest.mark.tier("embedded")


@pytest.fixture
def server(tmp_path):
    with start_server(tmp_path, *WELL) as server:
        yield server


def test_a_server_of_its_own_that_is_well_has_no_trouble(server):
    assert troubles(server.port, spec=SPEC) == {}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (("--appendfsync", "no"), {"persistence.appendfsync": "fail"}),
        (("--save", "3600 1"), {"persistence.snapshots": "warn"}),
        (("--maxmemory-policy", "allkeys-lru"), {"memory.policy": "fail"}),
        (("--timeout", "300"), {"configuration": "warn"}),
        (("--maxmemory", "17mb"), {"configuration": "warn"}),
        (("--no-appendfsync-on-rewrite", "yes"), {"configuration": "warn"}),
        (("--aof-use-rdb-preamble", "no"), {"configuration": "warn"}),
        (("--rename-command", "LPOS", ""), {"bullmq.features": "fail"}),
        (("--rename-command", "LSET", ""), {"bullmq.features": "fail"}),
        (("--rename-command", "BZPOPMIN", ""), {"bullmq.features": "fail"}),
        (
            ("--appendonly", "no"),
            {
                "persistence.appendonly": "fail",
                "persistence.fsync": "n/a",
                "persistence.disk": "n/a",
            },
        ),
        (
            ("--maxmemory", "0"),
            {
                "memory.maxmemory": "fail",
                "memory.used": "n/a",
                "memory.room": "n/a",
                "keys.expiry": "n/a",
            },
        ),
        (
            ("--replicaof", "127.0.0.1 1", "--replica-read-only", "no"),
            {"role": "fail"},
        ),
        (
            ("--replicaof", "127.0.0.1 1"),
            {
                "role": "fail",
                "roundtrip": "fail",
                "bullmq.job": "fail",
                "bullmq.features": "unknown",
            },
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_start_speaks_through_its_check_alone(tmp_path, settings, expected):
    with start_server(tmp_path, *WELL, *settings) as server:
        assert troubles(server.port, spec=SPEC) == expected


@pytest.mark.parametrize("program", SERVERS)
def test_a_release_with_an_open_defect_warns_where_no_guard_is_known(tmp_path, program):
    torn = binaries.inspect(program).version < (9, 1, 2)
    with start_server(tmp_path, *WELL, server=program) as server:
        assert troubles(server.port, spec=SPEC) == ({"server.defects": "warn"} if torn else {})


def test_a_limit_above_what_the_machine_has_fails(server):
    memory = int(server.info("memory")["total_system_memory"])
    server.call("CONFIG", "SET", "maxmemory", 2 * memory)
    found = troubles(server.port, spec=Spec(memory=Memory(limit=4 * memory, maxmemory=2 * memory)))
    # set to 1 the kernel refuses no fork, whatever there is
    forks = Path("/proc/sys/vm/overcommit_memory").read_text().strip() == "1"
    assert found == {"memory.room": "fail"} | ({} if forks else {"memory.overcommit": "warn"})


@pytest.mark.parametrize(("share", "verdict"), [(85, "warn"), (97, "fail")])
def test_a_memory_that_fills_is_told_before_it_is_full(server, share, verdict):
    limit = 64 * 2**20
    server.call("CONFIG", "SET", "maxmemory", limit)
    fill = """
        local used = function() return redis.call('INFO', 'memory'):match('used_memory:(%d+)') end
        local n = 0
        while tonumber(used()) < tonumber(ARGV[1]) do
            n = n + 1; redis.call('SET', n, string.rep('x', 100000), 'EX', 1000)
        end"""
    server.call("EVAL", fill, 0, limit * share // 100)
    assert troubles(server.port, spec=Spec(memory=Memory(maxmemory=limit))) == {
        "memory.used": verdict
    }


def test_connections_that_run_out_are_told(server):
    server.call("CONFIG", "SET", "maxclients", 40)
    with contextlib.ExitStack() as idle:
        for _ in range(33):
            idle.enter_context(Link(Address(LOOPBACK, server.port)))
        assert troubles(server.port, spec=SPEC) == {"clients": "warn"}


def test_connections_that_were_turned_away_are_told(server):
    with Link(Address(LOOPBACK, server.port)) as only:
        wait_until(lambda: str(only.call("CLIENT", "LIST")).count("id=") == 1, "being alone")
        only.call("CONFIG", "SET", "maxclients", 1)
        with pytest.raises(TargetError):
            server.call("PING")
        only.call("CONFIG", "SET", "maxclients", 100)
    assert troubles(server.port, spec=SPEC) == {"clients": "warn"}


@pytest.mark.parametrize(
    ("script", "check"),
    [
        ("for i = 1, 10001 do redis.call('ZADD', KEYS[1] .. 'completed', i, i) end",
         "bullmq.retention"),
        ("for i = 1, 10001 do redis.call('ZADD', KEYS[1] .. 'failed', i, i) end",
         "bullmq.retention"),
        ("for i = 1, 20001 do redis.call('XADD', KEYS[1] .. 'events', '*', 'e', 'x') end",
         "bullmq.events"),
        ("redis.call('XADD', KEYS[1] .. 'events', '*', 'e', string.rep('x', 11000000))",
         "bullmq.events"),
        ("redis.call('RPUSH', KEYS[1] .. 'paused', '1')", "bullmq.formats"),
        ("redis.call('SET', KEYS[1] .. 'meta-paused', '1')", "bullmq.formats"),
        ("redis.call('ZADD', KEYS[1] .. 'priority', 1, '1')", "bullmq.formats"),
        ("for i = 1, 300 do redis.call('SET', 'cache:' .. i, string.rep('x', 9000)) end",
         "keys.expiry"),
    ],
)  # fmt: skip
def test_what_queues_and_caches_leave_is_told(server, script, check):
    queue = "redis.call('SET', KEYS[1] .. 'id', 1) redis.call('HSET', KEYS[1] .. 'meta', 'a', 1)"
    server.call("EVAL", f"{queue} {script}", 1, "bull:mails:")
    assert troubles(server.port, spec=SPEC) == {check: "warn"}


def test_a_bounded_queue_and_an_expiring_cache_are_no_trouble(server):
    script = """
        redis.call('SET', KEYS[1] .. 'id', 1) redis.call('HSET', KEYS[1] .. 'meta', 'a', 1)
        for i = 1, 1000 do
            redis.call('HSET', KEYS[1] .. i, 'data', string.rep('x', 3000))
            redis.call('LPUSH', KEYS[1] .. 'wait', i)
            redis.call('SET', 'cache:' .. i, string.rep('x', 3000), 'EX', 1000)
        end"""
    server.call("EVAL", script, 1, "bull:mails:")
    assert troubles(server.port, spec=SPEC) == {}


@contextlib.contextmanager
def files_no_longer_than(server: Server, size: int):
    """Let what the server writes end at `size` bytes: writes fail as on a full disk."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    yield
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)


IGNORING_XFSZ = ("sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh")
"""A write beyond the limit then fails instead of ending the process."""


@pytest.mark.parametrize("program", SERVERS)
def test_a_write_that_failed_is_told(tmp_path, program):
    with start_server(tmp_path, *WELL, before=IGNORING_XFSZ, server=program) as server:
        with files_no_longer_than(server, 1000):
            server.call("SET", "k", "x" * 2000, "EX", 1000)
            wait_until(
                lambda: server.info("persistence")["aof_last_write_status"] == "err", "the failure"
            )
            found = troubles(server.port, spec=SPEC)
        found.pop("server.defects", None)
        assert found == {
            "ping": "fail",
            "roundtrip": "fail",
            "persistence.write": "fail",
            "bullmq.features": "unknown",
            "bullmq.job": "unknown",
        }


def test_a_rewrite_that_failed_is_told(tmp_path):
    with start_server(tmp_path, *WELL, before=IGNORING_XFSZ) as server:
        server.call("SET", "k", "x" * 200_000, "EX", 1000)
        with files_no_longer_than(server, 100_000):
            server.call("CONFIG", "SET", "rdbcompression", "no")
            server.call("BGREWRITEAOF")
            wait_until(
                lambda: server.info("persistence")["aof_last_bgrewrite_status"] == "err",
                "the failure",
            )
        found = troubles(server.port, spec=SPEC)
        assert found == {"persistence.rewrite": "fail"}


SLOW_FSYNC = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
static int slowly(const char *name, int fd) {
    if (access(getenv("SLOW_WHILE"), F_OK) == 0) sleep(3);
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}
int fsync(int fd) { return slowly("fsync", fd); }
int fdatasync(int fd) { return slowly("fdatasync", fd); }
"""
"""Makes each fsync of a server take 3 s for as long as a file exists."""


@pytest.mark.tier("compiler")
def test_a_disk_that_does_not_keep_up_is_told(tmp_path):
    shim, slow = tmp_path / "slow.so", tmp_path / "slow"
    compiler = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(shim), "-ldl"]
    subprocess.run(compiler, input=SLOW_FSYNC, text=True, check=True)
    shimmed = ("env", f"LD_PRELOAD={shim}", f"SLOW_WHILE={slow}")
    with start_server(tmp_path / "data", *WELL, before=shimmed) as server:
        slow.touch()

        def delayed() -> bool:
            server.call("SET", "k", "x", "EX", 1000)
            return server.info("persistence")["aof_delayed_fsync"] != "0"

        wait_until(delayed, "an fsync that delays a write", seconds=30)
        slow.unlink()
        assert troubles(server.port, spec=SPEC) == {"persistence.fsync": "warn"}


@pytest.mark.tier("mounts")
@pytest.mark.parametrize(("room", "verdict"), [("1500k", "fail"), ("2700k", "warn")])
def test_a_disk_without_room_for_a_rewrite_is_told(tmp_path, room, verdict):
    fill = "for i = 1, 100 do redis.call('SET', i, string.rep('x', 9000), 'EX', 1000) end"
    sturdis = " ".join(STURDIS)
    (tmp_path / "look").write_text(
        'mount -t tmpfs -o size="$1" none "$2"\n'
        f'exec {sturdis} up --server embedded --port 0 --metrics-port 0 --data "$2" -- '
        f"sh -c '{sturdis} cli eval \"$FILL\" 0 >&2; {sturdis} verify --json'\n"
    )
    (tmp_path / "disk").mkdir()
    answer = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", tmp_path / "look", room, tmp_path / "disk"],
        env={**os.environ, "FILL": fill}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = {one["id"]: one["verdict"] for one in json.loads(answer.stdout)["checks"]}
    assert {check: one for check, one in found.items() if one != "pass"} == {
        "persistence.disk": verdict
    }, answer
