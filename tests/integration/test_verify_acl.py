"""`verify` as a user who may not do everything, or of a server that does not know everything."""

import os

import pytest

from sturdis.core.spec import Memory, Spec
from tests.integration.running import SERVERS, error_code, sturdis
from tests.integration.servers import start_server
from tests.integration.verdicts import NOT_SHOWN_HERE, troubles

SPEC = Spec(memory=Memory(maxmemory=16 * 2**20))
WELL = (
    "--appendonly", "yes", "--aof-timestamp-enabled", "yes", "--tcp-keepalive", "60",
    "--maxmemory", "16mb",
)  # fmt: skip

QUEUES = {"bullmq.retention", "bullmq.events", "bullmq.formats"}
KEYS = QUEUES | {"keys.expiry"}
TRIED = {"bullmq.features", "bullmq.job"}

NEEDED_BY = {
    "bzpopmin": {"bullmq.features"},
    "client|list": {"bullmq.features"},
    "client|setname": TRIED,
    "config|get": {
        "access", "configuration", "memory.maxmemory", "memory.policy", "persistence.appendfsync",
        "persistence.appendonly", "persistence.disk", "persistence.snapshots",
    },
    "dbsize": KEYS,
    "del": {"roundtrip", "bullmq.job"},
    "eval": {"bullmq.features"},
    "evalsha": TRIED,
    "exec": {"bullmq.features"},
    "exists": KEYS | {"bullmq.job"},
    "expire": {"bullmq.features"},
    "get": {"roundtrip", *TRIED},
    "hget": QUEUES | {"bullmq.job"},
    "info": {
        "bullmq.job", "clients", "keys.expiry", "memory.overcommit", "memory.room", "memory.used",
        "memory.hugepages", "persistence.disk", "persistence.fsync", "persistence.rewrite",
        "persistence.write", "role", "server.version",
    },
    "llen": QUEUES | {"bullmq.job"},
    "lpos": {"bullmq.features"},
    "lset": {"bullmq.features"},
    "memory|usage": KEYS,
    "multi": {"bullmq.features"},
    "ping": {"ping"},
    "pttl": {"bullmq.features", "keys.expiry"},
    "rpoplpush": TRIED,
    "rpush": {"bullmq.features"},
    "scan": KEYS,
    "script|exists": {"bullmq.features"},
    "set": {"roundtrip", *TRIED},
    "unlink": set(),
    "xadd": TRIED,
    "xlen": QUEUES,
    "xread": {"bullmq.features"},
    "xtrim": TRIED,
    "zadd": TRIED,
    "zcard": QUEUES | {"bullmq.job"},
}  # fmt: skip
"""Commands that a look needs, and the checks that cannot do without each."""


@pytest.fixture(params=SERVERS, scope="module")
def server(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("acl")
    with start_server(folder, *WELL, server=request.param) as server:
        server.call("SET", "mine", "1")
        server.call("SET", "bull:mails:id", "1")
        server.call("HSET", "bull:mails:meta", "version", "x")
        yield server


@pytest.mark.parametrize("command", NEEDED_BY)
def test_a_command_that_the_acl_refuses_makes_its_checks_unknown_and_ends_nothing(server, command):
    rules = ("reset", "on", "nopass", "~*", "&*", "+@all", f"-{command}")
    server.call("ACL", "SETUSER", "looker", *rules)
    found = troubles(server.port, spec=SPEC, user="looker")
    defects = found.pop("server.defects", "none open")
    assert found == dict.fromkeys(set(NEEDED_BY[command]) - NOT_SHOWN_HERE, "unknown")
    assert (defects == "unknown") == (command == "info")


def test_a_user_without_unlink_leaves_nothing_either(server):
    server.call("FLUSHALL")
    rules = ("reset", "on", "nopass", "~*", "&*", "+@all", "-unlink")
    server.call("ACL", "SETUSER", "looker", *rules)
    troubles(server.port, spec=SPEC, user="looker")
    assert server.call("DBSIZE") == 0


def test_a_user_of_other_keys_is_told_of_and_ends_nothing(server):
    rules = ("reset", "on", "nopass", "~bull:*", "&*", "+@all")
    server.call("ACL", "SETUSER", "looker", *rules)
    found = troubles(server.port, spec=SPEC, user="looker")
    assert found["roundtrip"] == found["bullmq.job"] == found["bullmq.features"] == "unknown"
    assert "fail" not in found.values()


@pytest.mark.parametrize("program", SERVERS)
@pytest.mark.parametrize("command", ["CONFIG", "DBSIZE", "GET", "INFO", "MEMORY", "PING", "SCAN"])
def test_a_command_of_another_name_makes_its_checks_unknown(tmp_path, program, command):
    ready = "" if command == "PING" else "+PONG"
    renamed = ("--rename-command", command, "elsewhere")
    with start_server(tmp_path, *WELL, *renamed, server=program, ready=ready) as server:
        server.call("SET", "mine", 1)
        found = troubles(server.port, spec=SPEC)
    found.pop("server.defects", None)
    # BullMQ's scripts call GET, INFO and MEMORY by name: to them it is missing.
    broken = {check for check, verdict in found.items() if verdict != "unknown"}
    assert broken <= {"bullmq.job", "bullmq.features"}
    assert "unknown" in found.values()


@pytest.mark.parametrize("program", SERVERS)
def test_a_user_without_any_right_is_let_in_and_learns_nothing(tmp_path, program):
    with start_server(tmp_path, "--user", "nobody", "on", ">pw", "-@all", server=program) as server:
        url = f"redis://nobody@127.0.0.1:{server.port}"
        environ = {**os.environ, "REDISCLI_AUTH": "pw"}
        answer = sturdis("verify", url, env=environ)
        assert (answer.returncode, answer.stderr) == (3, "")
        assert "completed after" not in answer.stdout
        refused = sturdis("cli", "--target", url, "ping", env=environ)
        assert (refused.returncode, refused.stdout.split()[0]) == (1, "NOPERM")
        other = sturdis("verify", f"{url}/3", env=environ)
        assert (other.returncode, error_code(other)) == (13, "target.refused")
