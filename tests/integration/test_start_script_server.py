"""The server that the start script starts: whose process it is, and who may do what on it."""

import os
import random
import shutil
import stat
from pathlib import Path

import pytest

from sturdis.adapters.redis.link import Link
from sturdis.core.aof.scan import scan
from sturdis.core.drill.events import Done
from sturdis.core.drill.ledger import Fate
from sturdis.core.errors import AccessError
from sturdis.core.render import acl
from sturdis.core.render.queue_script import queue_script
from sturdis.core.replies import ErrorReply
from sturdis.core.spec import Monitoring, Spec
from tests.drills import torn
from tests.integration import loads, shells, started
from tests.integration.loads import NODE, PYTHON
from tests.integration.running import SERVERS
from tests.integration.scrapes import exporter, scrape
from tests.integration.shells import SHELLS
from tests.integration.started import PASSWORDS, WITH_PASSWORDS, Started
from tests.integration.test_start_script import run

SEED = 2048
CUTS = 12

pytestmark = pytest.mark.parametrize("server", SERVERS, scope="module")
every_shell = pytest.mark.parametrize("shell_name", SHELLS, scope="module")

FORBIDDEN = (
    "FLUSHALL", "FLUSHDB", "SWAPDB 0 1", "SHUTDOWN NOSAVE", "REPLICAOF no one",
    "SLAVEOF no one", "FAILOVER ABORT", "MIGRATE h 1 k 0 1", "SYNC", "PSYNC ? -1", "SAVE", "BGSAVE",
    "KEYS *", "CLIENT PAUSE 1", "MODULE LIST", "CONFIG SET maxmemory 1", "CONFIG REWRITE",
    "CONFIG RESETSTAT", "ACL SETUSER default nopass", "ACL LIST", "ACL SAVE", "ACL DELUSER sturdis",
)  # fmt: skip
"""What the application may not do: each by its own words."""

ALLOWED = (
    "PING", "INFO", "CONFIG GET maxmemory-policy", "CLIENT LIST", "CLIENT SETNAME a", "SELECT 1",
    "SET k v", "SCAN 0", "PUBLISH c m", "ACL WHOAMI", "MEMORY USAGE k", "SLOWLOG GET",
    "SCRIPT FLUSH", "DBSIZE", "COMMAND COUNT", "BGREWRITEAOF",
)  # fmt: skip


@pytest.fixture(scope="module")
def shell(server, shell_name, tmp_path_factory):
    return shells.shell(shell_name, server, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def dash(server, tmp_path_factory):
    return shells.shell("dash", server, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def guarded(dash, tmp_path_factory):
    """Give a server with passwords."""
    folder = tmp_path_factory.mktemp("pod")
    with started.started(dash, folder, WITH_PASSWORDS, PASSWORDS) as one:
        yield one


def as_user(name: str, one: Started) -> Link:
    (user,) = (user for user in acl.USERS if user.name == name)
    named = None if name == "default" else name
    return Link(one.address(named, PASSWORDS[user.variable]))


@pytest.fixture(scope="module")
def bullmq(server, tmp_path_factory):
    """Give what BullMQ wrote on a server."""
    with torn.written(server, tmp_path_factory.mktemp("bullmq")) as (some, _home):
        yield some


@every_shell
def test_the_server_is_the_process_that_the_container_was_started_as(shell, tmp_path):
    with started.started(shell, tmp_path, Spec()) as one:
        with Link(one.address()) as link:
            assert link.call("SET", "k", "v") == b"OK"
            info = link.call("INFO", "server")
        assert isinstance(info, bytes)
        assert f"process_id:{one.process.pid}\r\n".encode() in info
    assert one.process.returncode == 0, "SIGTERM reached the server itself"
    with started.started(shell, tmp_path, Spec()) as one, Link(one.address()) as link:
        assert link.call("GET", "k") == b"v"


@every_shell
def test_what_bullmq_wrote_is_cut_where_core_says_at_any_offset(bullmq, shell, tmp_path):
    chance = random.Random(SEED)  # noqa: S311  nothing secret
    for number in range(CUTS):
        data = tmp_path / str(number) / "data"
        shutil.copytree(bullmq.parts, data / "appendonlydir")
        left = bullmq.increment[: chance.randrange(len(bullmq.increment))] + bytes(number % 2 * 300)
        (data / "appendonlydir" / bullmq.name).write_bytes(left)
        run(shell, data)
        end = scan([left]).safe_end
        assert (data / "appendonlydir" / bullmq.name).read_bytes() == left[:end]
        kept = [path.read_bytes() for path in data.glob("cut/*")]
        assert kept == ([left[end:]] if left[end:] else [])


@pytest.mark.tier("dash")
@pytest.mark.parametrize("language", [PYTHON, NODE])
def test_bullmq_works_as_the_application(language, guarded, tmp_path):
    address = guarded.address(password=PASSWORDS["REDISCLI_AUTH"])
    with loads.load(address, tmp_path, language, rate=200.0) as load:
        loads.wait_for_events(tmp_path, Done, 20)
        load.stop_adding()
        load.wait_until_added(20)
        loads.drain(address)
        load.end()
    told = loads.account(address, tmp_path)
    assert told.fates == {Fate.PROCESSED: told.asked}


@pytest.mark.tier("dash")
def test_the_application_cannot_undo_the_deployment(guarded):
    with as_user("default", guarded) as link:
        for line in FORBIDDEN:
            reply = link.call(*line.split())
            assert isinstance(reply, ErrorReply), line
            assert reply.forbidden, (line, reply)
        assert link.call("DEBUG", "SLEEP", "0") != b"OK"  # switched off, or not allowed
        for line in ALLOWED:
            assert not isinstance(link.call(*line.split()), ErrorReply), line


@pytest.mark.tier("dash")
def test_sturdis_may_do_everything(guarded):
    with as_user("sturdis", guarded) as link:
        assert link.call("CONFIG", "SET", "maxclients", 5000) == b"OK"
        assert link.call("ACL", "WHOAMI") == b"sturdis"
        assert link.call("SELECT", 3) == b"OK"
        assert not link.call("KEYS", "nothing")
        assert b"-debug" in str(link.call("ACL", "GETUSER", "default")).encode()
        assert link.call("FLUSHDB") == b"OK"


@pytest.mark.tier("dash")
def test_the_exporter_reads_no_value_and_writes_nothing(guarded):
    with as_user("default", guarded) as link:
        link.call("SET", "bull:q:id", "1")
        link.call("RPUSH", "bull:q:wait", "1")
    with as_user("exporter", guarded) as link:
        for line in ("GET bull:q:id", "SET a b", "LRANGE bull:q:wait 0 1", "CONFIG SET port 1"):
            reply = link.call(*line.split())
            assert isinstance(reply, ErrorReply), line
            assert reply.forbidden, line
        assert link.call("LLEN", "bull:q:wait") == 1


@pytest.mark.tier("dash")
@pytest.mark.tier("exporter")
def test_the_real_exporter_scrapes_as_its_user(guarded, tmp_path):
    with as_user("sturdis", guarded) as link:
        link.call("RPUSH", "bull:seen:wait", "1", "2")
        link.call("ACL", "LOG", "RESET")
    environ = {
        "REDIS_USER": "exporter",
        "REDIS_PASSWORD": PASSWORDS["EXPORTER_PASSWORD"],
        "REDIS_EXPORTER_SCRIPT": str(tmp_path / "queues.lua"),
    }
    spec = Spec(monitoring=Monitoring(queues=("seen",)))
    (tmp_path / "queues.lua").write_text(queue_script(spec))
    with exporter(f"redis://127.0.0.1:{guarded.port}", **environ) as url:
        scraped = scrape(url)
    assert scraped.value("redis_up") == 1
    assert scraped.value("redis_exporter_last_scrape_error", err="") == 0
    ((_name, _labels, waiting),) = (
        (*key, value) for key, value in scraped.values.items() if key[0] == "redis_script_values"
    )
    assert waiting == 2
    with as_user("sturdis", guarded) as link:
        assert not link.call("ACL", "LOG"), "nothing was refused"


@pytest.mark.tier("dash")
def test_nobody_is_let_in_without_a_password(guarded):
    for address in (guarded.address(), guarded.address(password="wrong")):
        with pytest.raises(AccessError):
            Link(address).call("PING")


@pytest.mark.tier("dash")
def test_no_password_is_left_where_another_could_read_it(guarded):
    users = guarded.folder / "run/users.acl"
    assert stat.S_IMODE(users.stat().st_mode) == 0o600
    process = Path(f"/proc/{guarded.process.pid}")
    shown = users.read_bytes()
    if process.exists():  # Linux
        shown += (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        assert b"PATH=" in (process / "environ").read_bytes()
    for password in PASSWORDS.values():
        if len(password) > 1:
            assert password.encode() not in shown
    assert b"AUTH" not in shown
    assert b"PASSWORD" not in shown
    assert os.listdir(guarded.folder / "run") == ["users.acl"]  # noqa: PTH208  names


@every_shell
@pytest.mark.parametrize("variable", PASSWORDS)
@pytest.mark.parametrize("value", ["", None])
def test_an_empty_password_is_refused(variable, value, shell, tmp_path):
    environ = {name: text for name, text in PASSWORDS.items() if name != variable}
    if value is not None:
        environ[variable] = value
    answer = shell.run(started.write_script(tmp_path, WITH_PASSWORDS, 0), environ=environ)
    assert answer.returncode == AccessError.exit_status
    assert answer.stderr.startswith("error[access.no_password]: ")
    assert not any(text in answer.stderr for text in PASSWORDS.values() if len(text) > 1)
