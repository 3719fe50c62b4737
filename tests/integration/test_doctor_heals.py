"""`doctor --heal`: writes that stay refused after one failed fsync are taken again."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sturdis import wiring
from sturdis.adapters.faults import shim
from sturdis.adapters.faults.shim import Shim
from sturdis.adapters.redis.healing import SickServer
from sturdis.core.address import Address
from sturdis.core.doctor import healing
from sturdis.core.doctor.healing import Healing
from sturdis.core.errors import TargetError
from sturdis.core.replies import ErrorReply
from tests import matrix
from tests.integration.faults import url_of
from tests.integration.running import SERVERS, error_code, sturdis
from tests.integration.servers import LOOPBACK, Server, start_server, wait_until

pytestmark = pytest.mark.tier("compiler")

LONGEST_SECONDS = 10
"""The promise: docs/adr/0055."""

(REDIS_8,) = (row for row in matrix.ROWS if str(row) == "redis-8.0")

MANY = 10**6
"""Fsyncs that fail: all that are asked for in a test."""


def agreed(plan: Healing) -> None:
    assert "BGREWRITEAOF" in str(plan)


@dataclass(frozen=True)
class Sick:
    server: Server
    disk: Shim

    def misconf(self) -> bool:
        reply = self.server.call("DEL", "nothing")
        return isinstance(reply, ErrorReply) and reply.text.startswith("MISCONF")

    def fall_ill(self, failures: int) -> None:
        """Have the fsync of one write fail; nothing is written afterwards that would ask again."""
        self.server.call("SET", "kept", "value")
        wait_until(lambda: not self.disk.under_way(), "the fsync of what was written before")
        self.disk.fail(failures)
        self.server.call("SET", "acknowledged", "value")
        wait_until(self.misconf, "MISCONF")


@contextlib.contextmanager
def on_a_disk_that_fails(folder: Path, server: str) -> Iterator[Sick]:
    if why := shim.missing(server):
        pytest.skip(why)
    data = folder / "data"
    data.mkdir()
    disk = Shim(folder / "shim", data)
    preloaded = ("env", *(f"{name}={value}" for name, value in disk.environ().items()))
    with (
        contextlib.closing(disk),
        start_server(data, "--appendonly", "yes", server=server, before=preloaded) as one,
    ):
        yield Sick(one, disk)


@pytest.mark.parametrize("server", SERVERS)
def test_one_failed_fsync_is_healed_within_ten_seconds_and_nothing_is_lost(tmp_path, server):
    with on_a_disk_that_fails(tmp_path, server) as sick:
        sick.fall_ill(failures=1)
        assert sick.misconf(), "it stays so by itself"
        healed = wiring.heal(url_of(sick.server), agree=agreed)
        assert healed.steps
        assert healed.seconds <= LONGEST_SECONDS
        assert sick.server.call("SET", "later", "value") == b"OK"
        assert sick.server.info("persistence")["aof_enabled"] == "1"
        sick.server.kill()
    with start_server(tmp_path / "data", "--appendonly", "yes", server=server) as again:
        for key in ("kept", "acknowledged", "later"):
            assert again.call("GET", key) == b"value"


@pytest.mark.parametrize("server", SERVERS)
def test_while_the_disk_fails_it_is_said_and_the_file_stays_on(tmp_path, server):
    with on_a_disk_that_fails(tmp_path, server) as sick:
        sick.fall_ill(failures=MANY)
        with pytest.raises(TargetError, match="still fails") as told:
            wiring.heal(url_of(sick.server), agree=agreed)
        assert told.value.code == "target.not_healed"
        assert sick.misconf()
        assert sick.server.info("persistence")["aof_enabled"] == "1"
        assert sick.server.call("GET", "acknowledged") == b"value"


def test_nothing_is_done_unasked(tmp_path):
    with start_server(tmp_path / "data", "--appendonly", "yes") as server:
        healthy = sturdis("doctor", "--heal", url_of(server))
        assert (healthy.returncode, "nothing to heal" in healthy.stdout) == (0, True)
        os.truncate(tmp_path / "data/server.log", 0)
        server.call("CONFIG", "SET", "min-replicas-to-write", "1")
        other = sturdis("doctor", "--heal", "--yes", url_of(server))
        assert (other.returncode, error_code(other)) == (13, "target.not_healed")
        assert "NOREPLICAS" in other.stderr
        assert "rewrite" not in (tmp_path / "data/server.log").read_text()


@pytest.mark.tier("redis-8.0")
def test_the_plan_is_shown_and_has_to_be_agreed_to(tmp_path):
    with on_a_disk_that_fails(tmp_path, REDIS_8.server) as sick:
        sick.fall_ill(failures=1)
        url = url_of(sick.server)
        told = json.loads(sturdis("doctor", "--json", url).stdout)
        (write,) = (one for one in told["findings"] if one["id"] == "aof.write")
        assert write["do"].endswith(f"sturdis doctor {url} --heal")
        answer = sturdis("doctor", "--heal", url, stdin=subprocess.DEVNULL)
        assert (answer.returncode, code_in(answer.stderr)) == (2, "usage.not_agreed")
        assert "BGREWRITEAOF" in answer.stderr
        assert answer.stderr.endswith(f"do:  sturdis doctor {url} --heal --yes\n")
        assert sick.misconf()
        healed = sturdis("doctor", "--heal", "--yes", url)
        assert (healed.returncode, healed.stdout[:6]) == (0, "healed"), healed.stderr


def code_in(told: str) -> str:
    """Give the code of the error behind a plan that was shown."""
    (line,) = (one for one in told.splitlines() if one.startswith("error["))
    return line.removeprefix("error[").split("]")[0]


def test_a_file_that_cannot_be_switched_on_again_is_said_to_be_off(tmp_path):
    with start_server(tmp_path / "data", "--appendonly", "yes") as server:
        place = tmp_path / "data/appendonlydir"
        place.rename(tmp_path / "away")
        place.touch()
        sick = SickServer(Address(LOOPBACK, server.port), "it")
        why = sick.toggle(0.5)
        assert why
        error = healing.left_off("it", why, "sturdis cli")
        assert (error.code, why in error.why) == ("target.not_healed", True)
        assert error.do.startswith("sturdis cli config set appendonly yes")
        assert server.info("persistence")["aof_enabled"] == "0"
        assert server.call("SET", "a", "b") == b"OK", "writes are no longer held back"
        place.unlink()
        assert sick.toggle(10) == ""
        assert server.info("persistence")["aof_enabled"] == "1"


def test_a_rewrite_that_began_before_is_not_taken_for_the_one_that_heals(tmp_path):
    with start_server(tmp_path / "data", "--appendonly", "yes") as server:
        for number in range(10):
            server.call("SET", f"k{number}", "v")
        server.call("CONFIG", "SET", "rdb-key-save-delay", 50_000)
        server.call("BGREWRITEAOF")
        assert server.info("persistence")["aof_rewrite_in_progress"] == "1"
        assert SickServer(Address(LOOPBACK, server.port), "it").rewrite() == ""
        told = server.info("persistence")
        assert (told["aof_rewrites"], told["aof_rewrite_in_progress"]) == ("2", "0")


def test_a_user_who_may_not_is_told_what_healing_needs(tmp_path):
    with start_server(tmp_path / "data", "--appendonly", "yes") as server:
        server.call("ACL", "SETUSER", "default", "-info")
        answer = sturdis("doctor", "--heal", url_of(server))
        assert (answer.returncode, error_code(answer)) == (13, "target.not_allowed")
