"""`sturdis repair`: what it keeps, shows and proves, on every server of the matrix."""

import re
from pathlib import Path

import pytest

from sturdis import wiring
from sturdis.core.repair.plan import Base
from tests.core.append_only import command
from tests.core.repair.mails import add, complete, fetch, unit
from tests.integration import damaged
from tests.integration.damaged import BASE, HEAD, INCREMENT, LOST, MANIFEST, PARTS, REST
from tests.integration.running import SERVERS, running, sturdis
from tests.integration.servers import Server, start_server, wait_until

ONE = SERVERS[3:]
"""The embedded server: where one is enough."""


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.before-repair-*"))


def rewrite(life: Server) -> None:
    """Rewrite its file to the end: the child outlives a killed server, with files of it open."""
    life.call("BGREWRITEAOF")
    wait_until(lambda: life.info("persistence")["aof_rewrite_in_progress"] == "0", "the rewrite")


@pytest.mark.parametrize("server", SERVERS)
def test_units_behind_a_damage_are_kept_and_no_job_is_in_two_states(server, tmp_path):
    data = damaged.damaged(tmp_path / "data", server)
    before = damaged.contents(data)
    done = damaged.repair(data, server)
    assert done.done
    assert done.plan.before == {"bull:mails": {"wait": 6}}
    assert done.plan.after == {"bull:mails": {"active": 1, "completed": 2, "wait": 4}}
    assert damaged.contents(copies(data)[0]) == before
    with start_server(data, "--appendonly", "yes", server=server) as life:
        assert life.call("LRANGE", "bull:mails:wait", 0, -1) == (b"7", b"6", b"5", b"4")
        assert life.call("LRANGE", "bull:mails:active", 0, -1) == (b"3",)
        assert life.call("ZRANGE", "bull:mails:completed", 0, -1) == (b"1", b"2")
        assert life.call("HGET", "bull:mails:7", "data") == b"{}"
        assert life.call("INCR", "bull:mails:id") == 1_000_008
    with start_server(data, "--appendonly", "yes", server=server) as life:
        assert life.call("GET", "bull:mails:id") == b"1000008", "what is written later is kept"


@pytest.mark.parametrize("server", SERVERS)
def test_a_damaged_or_lost_base_is_left_out_and_said(server, tmp_path):
    data = damaged.folder(tmp_path / "data", server)
    with start_server(data, "--appendonly", "yes", server=server) as life:
        life.call("SET", "old", "v" * 200)
        rewrite(life)
        life.kill()
    bases = list((data / PARTS).glob("*.base.rdb"))
    for base in bases:
        content = base.read_bytes()
        base.write_bytes(content[:-9] + bytes((content[-9] ^ 1,)) + content[-8:])
    plan = damaged.repair(data, server).plan
    assert plan.base is Base.DAMAGED
    assert damaged.repair(data, server).plan.is_needed is False


@pytest.mark.parametrize("server", ONE)
def test_a_lost_manifest_is_written_anew(server, tmp_path):
    data = damaged.folder(tmp_path / "data", server)
    (data / MANIFEST).unlink()
    assert "is missing" in damaged.told(data, "--yes")["manifest"]
    with start_server(data, "--appendonly", "yes", server=server) as life:
        assert life.call("ZCARD", "bull:mails:completed") == 2


@pytest.mark.parametrize("server", ONE)
def test_a_lost_base_is_told(server, tmp_path):
    data = damaged.folder(tmp_path / "data", server)
    (data / BASE).unlink()
    assert damaged.told(data, "--yes")["base"] == "lost"
    with start_server(data, "--appendonly", "yes", server=server) as life:
        assert life.call("ZCARD", "bull:mails:completed") == 2


@pytest.mark.parametrize("server", ONE)
def test_an_increment_torn_before_another_one_is_mended(server, tmp_path):
    data = damaged.folder(tmp_path / "data", server, HEAD + LOST[:-4])
    second = "appendonly.aof.2.incr.aof"
    (data / PARTS / second).write_bytes(HEAD[:23] + REST)
    with (data / MANIFEST).open("a") as file:
        file.write(f"file {second} seq 2 type i\n")
    plan = damaged.repair(data, server).plan
    assert plan.after["bull:mails"] == {"active": 1, "completed": 2, "wait": 4}


@pytest.mark.parametrize("server", ONE)
def test_an_intact_folder_needs_nothing_and_is_not_touched(server, tmp_path):
    data = damaged.folder(tmp_path / "data", server)
    before = {one: one.stat() for one in data.rglob("*") if one.is_file()}
    answer = sturdis("repair", str(data))
    assert (answer.returncode, answer.stdout.split(" in ")[0]) == (0, "nothing to repair")
    after = {one: one.stat() for one in data.rglob("*") if one.is_file()}
    assert {one: (stat.st_mtime_ns, stat.st_ino) for one, stat in before.items()} == {
        one: (stat.st_mtime_ns, stat.st_ino) for one, stat in after.items()
    }
    assert copies(data) == []


@pytest.mark.parametrize("server", ONE)
def test_a_dry_run_shows_the_plan_and_touches_nothing(server, tmp_path):
    data = damaged.damaged(tmp_path / "data", server)
    before = damaged.contents(tmp_path)
    answer = sturdis("repair", str(data), "--dry-run")
    assert answer.returncode == 0
    assert "complete units behind the damage are kept" in answer.stdout
    assert "wait                     6       4" in answer.stdout
    assert "after processing the command 'exec' (4 times)" in answer.stdout
    assert damaged.contents(tmp_path) == before


@pytest.mark.parametrize("server", ONE)
def test_nothing_is_changed_without_agreement(server, tmp_path):
    data = damaged.damaged(tmp_path / "data", server)
    before = damaged.contents(tmp_path)
    assert sturdis("repair", str(data)).returncode == 2
    assert wiring.repair(data, agree=lambda _plan: False, server=server).done is False
    assert damaged.contents(tmp_path) == before


@pytest.mark.parametrize("server", ONE)
def test_units_that_stand_twice_without_a_broken_byte_are_seen_by_the_jobs(server, tmp_path):
    once = fetch(1) + complete(1)
    data = damaged.folder(tmp_path / "data", server, HEAD + once + once)
    done = damaged.repair(data, server)
    assert (done.done, done.plan.duplicates) == (True, 2)
    assert done.plan.after["bull:mails"] == {"completed": 1, "wait": 5}


@pytest.mark.parametrize("server", ONE)
def test_up_runs_on_what_was_repaired(server, tmp_path):
    with running("--data", str(tmp_path / "data")) as up:
        for number in range(5):
            up.cli("set", f"key{number}", "v" * 50)
    path = tmp_path / "data" / INCREMENT
    content = path.read_bytes()
    at = content.index(b"key1") - 6
    path.write_bytes(content[:at] + b"\0\0" + content[at + 2 :])
    assert damaged.told(tmp_path / "data", "--yes")["done"] is True
    with running("--data", str(tmp_path / "data")) as up:
        assert int(up.cli("dbsize")) == 4


@pytest.mark.parametrize("server", ONE)
def test_a_job_whose_payload_is_lost_is_given_to_nobody(server, tmp_path):
    lost = add(7)
    late = unit(command(b"HSET", b"bull:mails:7", b"priority", b"0"), add(8)[15:-14])
    back = unit(command(b"LPUSH", b"bull:mails:wait", b"7"), command(b"SET", b"x", b"1"))
    data = damaged.folder(
        tmp_path / "data", server, HEAD + b"\xff" + lost[1:] + late + back
    )  # fmt: skip
    plan = damaged.repair(data, server).plan
    assert plan.undecided == ("bull:mails:7: what it had to do is lost",)
    assert plan.after["bull:mails"] == {"orphaned": 1, "wait": 7}


@pytest.mark.parametrize("server", ONE)
def test_the_copy_can_be_kept_elsewhere(server, tmp_path):
    data = damaged.damaged(tmp_path / "data", server)
    before = damaged.contents(data)
    assert damaged.told(data, "--yes", "--keep", str(tmp_path / "kept"))["done"] is True
    assert damaged.contents(tmp_path / "kept") == before
    assert copies(data) == []


@pytest.mark.parametrize("server", ONE)
def test_an_intact_folder_whose_increment_is_empty_needs_nothing(server, tmp_path):
    data = damaged.folder(tmp_path / "data", server)
    with start_server(data, "--appendonly", "yes", server=server) as life:
        rewrite(life)
        life.kill()
    assert [one for one in (data / PARTS).glob("*.incr.aof") if one.stat().st_size == 0]
    assert not damaged.repair(data, server).plan.is_needed


@pytest.mark.parametrize("server", SERVERS)
def test_a_lost_manifest_leaves_out_an_increment_that_the_base_holds_already(server, tmp_path):
    data = tmp_path / "data"
    words = ("--appendonly", "yes", "--aof-timestamp-enabled", "yes")
    with start_server(data, *words, server=server) as life:
        life.call("RPUSH", "list", "old")
        before = (data / INCREMENT).read_bytes()
        life.call("BGREWRITEAOF")
        wait_until(lambda: not (data / INCREMENT).exists(), "the rewrite")
        life.call("RPUSH", "list", "new")
        life.kill()
    second, third = (data / PARTS / f"appendonly.aof.{n}.incr.aof" for n in (2, 3))
    second.rename(third)
    second.write_bytes(re.sub(rb"#TS:[0-9]+", b"#TS:1700000000", before))
    (data / MANIFEST).unlink()
    plan = damaged.repair(data, server).plan
    assert f"left out, as the base is newer: {second.name}" in plan.manifest
    with start_server(data, *words, server=server) as life:
        assert life.call("LRANGE", "list", 0, -1) == (b"old", b"new")


@pytest.mark.parametrize("server", ONE)
def test_an_increment_of_which_it_is_not_known_whether_the_base_holds_it_is_named(server, tmp_path):
    data = damaged.folder(tmp_path / "data", server, HEAD)
    base, first = data / BASE, data / INCREMENT
    base.rename(base.with_name("appendonly.aof.2.base.rdb"))
    first.rename(first.with_name("appendonly.aof.2.incr.aof"))
    (data / PARTS / "appendonly.aof.3.incr.aof").write_bytes(b"")
    (data / MANIFEST).unlink()
    (told,) = damaged.told(data, "--dry-run")["undecided"]
    assert told.startswith("appendonly.aof.2.incr.aof: whether the base holds it already")
