"""What container `redis` does before its server starts: the guard of core/aof, in a shell."""

import os
import re
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from sturdis.adapters.local import binaries, guard
from sturdis.adapters.local.data_folder import LOCK, DataFolder
from sturdis.core.errors import FAMILIES, DataError
from sturdis.core.render import start_script
from sturdis.core.render.start_script import Paths
from sturdis.core.spec import Spec
from tests.integration import shells, start_corpus
from tests.integration.running import SERVERS
from tests.integration.shells import SHELLS, Shell
from tests.integration.start_corpus import DIFFERENT, FOLDERS, INCREMENTS, Case, Files

every_shell = pytest.mark.parametrize("shell_name", SHELLS, scope="module")
every_server = pytest.mark.parametrize("server", SERVERS, scope="module")
one_server = pytest.mark.parametrize("server", SERVERS[-1:], scope="module")

FORMATS = (b"REDIS0009", b"REDIS0010", b"REDIS0011", b"REDIS0012", b"REDIS0013", b"VALKEY080",
    b"VALKEY081", b"REDIS9999")  # fmt: skip

SERVER_REFUSED_CONF = 1
"""The server's own exit status where its configuration is not there: the guard let it start."""


@pytest.fixture(scope="module")
def shell(server, shell_name, tmp_path_factory):
    return shells.shell(shell_name, server, tmp_path_factory.mktemp("image"))


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def contents(folder: Path) -> Files:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != LOCK)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def run(shell: Shell, data: Path) -> subprocess.CompletedProcess[str]:
    """Run the script where the server, let start, ends at once: its configuration is missing."""
    script = data.with_name("start.sh")
    script.write_text(start_script.start_script(Spec(), Paths(str(data), "/missing/redis.conf")))
    return shell.run(script)


def code(answer: subprocess.CompletedProcess[str]) -> str:
    """Give the code of a refusal that said what, why and what to do; empty: the server started."""
    if answer.returncode == SERVER_REFUSED_CONF:
        assert "error[" not in answer.stderr
        assert "/missing/redis.conf" in answer.stdout + answer.stderr, answer
        return ""
    match = re.fullmatch(r"error\[(.*)\]: .+\nwhy: .+\ndo:  .+\n", answer.stderr)
    assert match, answer
    assert answer.returncode == FAMILIES[match[1].partition(".")[0]].exit_status
    return match[1]


def code_of_core(server: str, data: Path) -> str:
    """Give the code of the refusal of core/aof; empty: the server may start."""
    lock = os.open(os.devnull, os.O_RDONLY)
    with closing(DataFolder(data, lock)) as folder:
        try:
            guard.make_safe(folder, binaries.inspect(server))
        except DataError as error:
            return error.code
    return ""


def carried_out(case: Case, shell: Shell, data: Path) -> None:
    """Run the script on a folder, and once more where it changed something."""
    write(data, case.files)
    answer = run(shell, data)
    expected = case.files if case.after is None else case.after
    assert (code(answer), contents(data)) == (case.code, expected)
    assert ("mended: " in answer.stdout) == (expected != case.files)
    if expected != case.files:
        again = run(shell, data)
        assert (code(again), contents(data)) == ("", expected)
        assert "mended" not in again.stdout


@pytest.mark.tier("embedded")
@pytest.mark.parametrize("case", [*INCREMENTS, *FOLDERS], ids=str)
def test_core_does_what_the_corpus_says(case, data):
    write(data, case.files)
    assert code_of_core(str(binaries.find_embedded()), data) == case.code
    assert contents(data) == (case.files if case.after is None else case.after)


@every_server
@every_shell
@pytest.mark.parametrize("case", INCREMENTS, ids=str)
def test_the_script_does_with_a_file_what_core_does(case, shell, data):
    carried_out(case, shell, data)


@one_server
@every_shell
@pytest.mark.parametrize("case", FOLDERS, ids=str)
def test_the_script_does_with_a_folder_what_core_does(case, shell, data):
    carried_out(case, shell, data)


@every_server
@every_shell
@pytest.mark.parametrize(("case", "code_in_core"), DIFFERENT, ids=str)
def test_where_the_script_differs_from_core(case, code_in_core, server, shell, data):
    write(data, case.files)
    assert code_of_core(server, data) == code_in_core
    carried_out(case, shell, data)


@every_server
@every_shell
@pytest.mark.parametrize("head", FORMATS)
def test_a_base_is_read_by_those_servers_that_core_names(head, server, shell, data):
    write(data, start_corpus.folder() | {start_corpus.BASE: head + b"\xff" + bytes(8)})
    assert code(run(shell, data)) == code_of_core(server, data)
