"""The probe of a pod, asked of servers in every state: it reads the reply, not the exit status."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.render.probe_script import probe_script
from sturdis.core.replies import ErrorReply
from sturdis.core.supervision import limits
from tests.integration import shells
from tests.integration.running import SERVERS
from tests.integration.servers import LOOPBACK, Server, start_server, wait_until
from tests.integration.shells import SHELLS, Shell

ALIVE_AND_READY, ALIVE, NEITHER = (True, True), (True, False), (False, False)

pytestmark = pytest.mark.parametrize("shell_name", SHELLS, scope="module")
every_server = pytest.mark.parametrize("server", SERVERS, scope="module")
one_server = pytest.mark.parametrize("server", SERVERS[-1:], scope="module")


@pytest.fixture(scope="module")
def shell(server, shell_name, tmp_path_factory):
    return shells.shell(shell_name, server, tmp_path_factory.mktemp("image"), client=True)


class Probe:
    """The script for one port, as a kubelet runs it."""

    def __init__(self, shell: Shell, folder: Path, port: int) -> None:
        self._shell = shell
        self._script = folder / "probe.sh"
        self._script.write_text(probe_script(port))
        self.told = ""

    def ask(self, what: str, password: str | None = None) -> bool:
        """Ask once."""
        environ = {} if password is None else {"REDISCLI_AUTH": password}
        answer = self._shell.run(self._script, what, environ=environ)
        assert answer.returncode != 2
        self.told = answer.stdout
        return answer.returncode == 0

    def both(self, password: str | None = None) -> tuple[bool, bool]:
        """Tell whether the server is alive, and whether it is ready."""
        return self.ask("alive", password), self.ask("ready", password)


@contextlib.contextmanager
def probed(
    shell: Shell, folder: Path, server: str, *settings: str, ready: str = "+PONG"
) -> Iterator[tuple[Server, Probe]]:
    with start_server(folder / "data", *settings, server=server, ready=ready) as running:
        yield running, Probe(shell, folder, running.port)


@every_server
def test_pong_is_alive_and_ready(server, shell, tmp_path):
    with probed(shell, tmp_path, server) as (_running, probe):
        assert probe.both() == ALIVE_AND_READY
        assert probe.told == "PONG\n"
        assert probe.both("not asked for") == ALIVE_AND_READY


@every_server
def test_a_password_is_read_from_the_environment(server, shell, tmp_path):
    needed = ("--requirepass", "the right one")
    with probed(shell, tmp_path, server, *needed, ready="-NOAUTH") as (_running, probe):
        assert probe.both() == ALIVE
        assert probe.told.startswith("NOAUTH ")
        assert probe.both("a wrong one") == ALIVE
        assert "WRONGPASS" in probe.told
        assert probe.both("the right one") == ALIVE_AND_READY
        assert probe.told == "PONG\n"


@every_server
def test_a_server_that_loads_is_alive_and_not_ready(server, shell, tmp_path):
    with (
        start_server(tmp_path / "data", server=server) as writer,
        Link(Address(LOOPBACK, writer.port)) as link,
    ):
        link.call_all([("SET", f"k{number}", "v") for number in range(2000)])
        link.call("SAVE")
    slowly = ("--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")
    with probed(shell, tmp_path, server, *slowly, ready="-LOADING") as (_running, probe):
        assert probe.both() == ALIVE
        assert probe.told.startswith("LOADING ")


@every_server
def test_a_server_that_refuses_writes_is_alive_and_ready(server, shell, tmp_path):
    with probed(shell, tmp_path, server) as (running, probe):
        running.call("SET", "k", "v")
        (tmp_path / "data/dump.rdb").mkdir()  # so that a snapshot fails
        running.call("CONFIG", "SET", "save", "1 1")
        running.call("BGSAVE")
        wait_until(lambda: told_failed(running), "the failed snapshot")
        assert probe.both() == ALIVE_AND_READY
        assert probe.told.startswith("MISCONF ")


def told_failed(running: Server) -> bool:
    return running.info("persistence")["rdb_last_bgsave_status"] == "err"


@every_server
def test_a_server_that_runs_a_script_is_alive_and_ready(server, shell, tmp_path):
    with (
        probed(shell, tmp_path, server, "--busy-reply-threshold", "1") as (running, probe),
        socket.create_connection((LOOPBACK, running.port)) as caller,
    ):
        caller.sendall(b'EVAL "while true do end" 0\r\n')
        wait_until(lambda: isinstance(running.call("PING"), ErrorReply), "BUSY")
        assert probe.both() == ALIVE_AND_READY
        assert probe.told.startswith("BUSY ")
        running.call("SCRIPT", "KILL")


@every_server
def test_a_replica_without_its_primary_is_alive_and_not_ready(server, shell, tmp_path):
    alone = ("--replicaof", f"{LOOPBACK} 1", "--replica-serve-stale-data", "no")
    with probed(shell, tmp_path, server, *alone, ready="-MASTERDOWN") as (_running, probe):
        assert probe.both() == ALIVE
        assert probe.told.startswith("MASTERDOWN ")


@every_server
def test_a_user_without_ping_is_answered(server, shell, tmp_path):
    with probed(shell, tmp_path, server) as (running, probe):
        running.call("ACL", "SETUSER", "default", "-ping")
        assert probe.both() == ALIVE
        assert probe.told.startswith("NOPERM ")


@every_server
@pytest.mark.parametrize("password", [None, "any"])
def test_a_server_with_no_connection_left_is_alive_and_not_ready(password, server, shell, tmp_path):
    with (
        probed(shell, tmp_path, server) as (running, probe),
        Link(Address(LOOPBACK, running.port)) as link,
    ):
        link.call("CONFIG", "SET", "maxclients", 1)
        assert probe.both(password) == ALIVE
        assert "max number of clients" in probe.told


@one_server
def test_a_server_that_is_gone_is_neither(server, shell, tmp_path):
    with probed(shell, tmp_path, server) as (running, probe):
        running.kill()
        assert probe.both() == NEITHER
        assert "refused" in probe.told
        assert probe.both("any") == NEITHER


@one_server
def test_a_server_that_hangs_is_neither_within_the_kubelets_time(server, shell, tmp_path):
    with probed(shell, tmp_path, server) as (running, probe):
        running.process.send_signal(signal.SIGSTOP)
        assert not probe.ask("alive")
        assert probe.told == f"no reply within {round(limits.PROBE_SECONDS) - 1} s\n"
        running.process.send_signal(signal.SIGCONT)
        assert probe.ask("alive")


@one_server
def test_a_word_that_is_none_of_the_two_is_refused(server, shell, tmp_path):
    script = tmp_path / "probe.sh"
    script.write_text(probe_script())
    for words in ((), ("live",), ("", "alive")):
        answer = shell.run(script, *words)
        assert (answer.returncode, answer.stdout) == (2, "")
        assert "alive|ready" in answer.stderr
