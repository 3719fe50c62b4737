"""What `repair` does where a server refuses the result, and where files change meanwhile."""

import subprocess
import sys
from pathlib import Path

import pytest

from sturdis import wiring
from sturdis.adapters.local import binaries, repair_scratch
from sturdis.core.errors import DataError
from sturdis.core.repair import commands
from tests import matrix
from tests.core.append_only import command
from tests.core.repair.mails import flipped
from tests.integration import damaged
from tests.integration.damaged import HEAD, INCREMENT, LOST, REST
from tests.integration.running import SERVERS, error_code, sturdis
from tests.integration.servers import start_server

EMBEDDED = matrix.ROWS[3].server
OF_A_MODULE = command(b"JSON.SET", b"doc", b"{}")


def of_a_module(path: Path, server: str) -> Path:
    """Make a damaged folder that holds a command which `server` does not know."""
    return damaged.folder(path, server, HEAD + OF_A_MODULE + flipped(LOST, 20) + REST)


@pytest.mark.parametrize("server", SERVERS)
def test_a_command_that_the_server_does_not_know_is_not_cut_but_not_proven(server, tmp_path):
    data = of_a_module(tmp_path / "data", server)
    before = damaged.contents(tmp_path)
    answer = sturdis("repair", str(data), "--yes", "--server", server)
    assert (answer.returncode, error_code(answer)) == (11, "data.not_proven")
    assert "command 'JSON.SET'" in answer.stderr.partition("why: ")[2]
    assert damaged.contents(tmp_path) == before


def of_its_own(path: Path, options: str = "", before: str = "") -> Path:
    """Make a server that is the embedded one with `options`; a shell does something `before`."""
    path.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec "{EMBEDDED}" --version\n{before}\n'
        f'exec "{EMBEDDED}" "$@" {options}\n'
    )
    path.chmod(0o700)
    return path


AFTER_ONE_MORE_WRITE = f"last=$(grep -ls {repair_scratch.MARK} appendonlydir/*.incr.aof) && "


@pytest.mark.tier("embedded")
@pytest.mark.parametrize(
    ("options", "before", "why"),
    [
        ("", AFTER_ONE_MORE_WRITE + "{ echo no; exit 1; }", "no"),
        ("", AFTER_ONE_MORE_WRITE + ': > "$last"', "after one more write is not what it had"),
        (
            "--rename-command LREM '' --rename-command TOUCH LREM", "",
            "a job is still in two states: bull:mails:",
        ),
    ],
)  # fmt: skip
def test_a_server_that_makes_something_else_of_it_proves_nothing(tmp_path, options, before, why):
    data = damaged.damaged(tmp_path / "data", EMBEDDED)
    server = of_its_own(tmp_path / "server", options, before)
    all_before = damaged.contents(tmp_path)
    with pytest.raises(DataError) as caught:
        damaged.repair(data, str(server))
    assert caught.value.code == "data.not_proven"
    assert why in caught.value.why
    assert damaged.contents(tmp_path) == all_before


@pytest.mark.tier("embedded")
def test_a_command_of_a_module_is_kept_by_a_server_that_has_it(tmp_path):
    data = of_a_module(tmp_path / "data", EMBEDDED)
    knowing = of_its_own(tmp_path / "server", "--rename-command GETSET JSON.SET")
    assert damaged.repair(data, str(knowing)).done
    assert OF_A_MODULE in b"".join(damaged.contents(data).values())
    with start_server(data, "--appendonly", "yes", server=str(knowing)) as life:
        assert life.call("GET", "doc") == b"{}"


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_is_asked_which_commands_it_has(server):
    with repair_scratch.Scratch(binaries.inspect(server)) as scratch:
        found = scratch.commands()
    assert found[b"HSET"] == -4
    assert b"GET" not in found
    assert not found.keys() - commands.KNOWN.keys(), "the table lacks what the matrix has"


@pytest.mark.tier("embedded")
def test_a_folder_that_changes_between_plan_and_repair_is_left_alone(tmp_path):
    data = damaged.damaged(tmp_path / "data", EMBEDDED)

    def agree(_plan: object) -> bool:
        with (data / INCREMENT).open("ab") as file:
            file.write(b"*1")
        return True

    with pytest.raises(DataError) as caught:
        wiring.repair(data, agree=agree, server=EMBEDDED)
    assert caught.value.code == "data.changed"
    require_only(data)


@pytest.mark.tier("embedded")
def test_a_folder_that_changes_while_it_is_copied_is_left_alone(tmp_path):
    data = damaged.damaged(tmp_path / "data", EMBEDDED)
    seen: list[bytes] = []

    def tell(step: object) -> None:
        if getattr(step, "doing", "") == "copying" and not seen:
            with (data / INCREMENT).open("ab") as file:
                file.write(b"*1")
            seen.append((data / INCREMENT).read_bytes())

    with pytest.raises(DataError) as caught:
        wiring.repair(data, agree=lambda _plan: True, server=EMBEDDED, tell=tell)
    assert caught.value.code == "data.changed"
    require_only(data)
    assert (data / INCREMENT).read_bytes() == seen[0]


SPOILED = """
import os, sys
from pathlib import Path
from sturdis import wiring

def spoil(event, arguments):
    if event != "open" or not str(arguments[0]).endswith(".partial/" + sys.argv[3]):
        return
    if not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        os.truncate(arguments[0], 5)

sys.addaudithook(spoil)
wiring.repair(Path(sys.argv[1]), agree=lambda _plan: True, server=sys.argv[2])
"""


@pytest.mark.tier("embedded")
def test_a_copy_that_is_read_back_otherwise_ends_the_repair(tmp_path):
    data = damaged.damaged(tmp_path / "data", EMBEDDED)
    before = damaged.contents(data)
    words = [sys.executable, "-c", SPOILED, str(data), EMBEDDED, INCREMENT]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert "is not what was copied" in answer.stderr
    require_only(data)
    assert before.items() <= damaged.contents(data).items()


def require_only(data: Path) -> None:
    """Make sure that no copy is left, and that no repair has begun."""
    assert [one.name for one in data.parent.iterdir()] == ["data"]
    assert not (data / "repair.json").exists()
