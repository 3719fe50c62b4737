"""The scripts of a pod as texts, and what they say where the image or the volume is wrong."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from sturdis.adapters.local import binaries
from sturdis.core.errors import CODES, DataError, ServerError
from sturdis.core.render.probe_script import probe_script
from sturdis.core.render.start_script import REFUSALS, Paths, start_script
from sturdis.core.spec import Spec
from tests.integration import shells, start_corpus
from tests.integration.running import program
from tests.integration.shells import SHELLS, Shell
from tests.integration.started import WITH_PASSWORDS
from tests.integration.test_start_script import contents, run, write

TEXTS = {
    "start": start_script(Spec()),
    "start-with-passwords": start_script(WITH_PASSWORDS),
    "probe": probe_script(),
}
"""Each script that a pod is given."""

every_shell = pytest.mark.parametrize("shell_name", SHELLS)


@pytest.fixture
def shell(shell_name, tmp_path):
    return shells.shell(shell_name, str(binaries.find_embedded()), tmp_path / "image")


@pytest.mark.tier("shellcheck")
@pytest.mark.parametrize("name", TEXTS)
def test_shellcheck_finds_nothing(name, tmp_path):
    script = tmp_path / "script.sh"
    script.write_text(TEXTS[name])
    found = subprocess.run(
        ["shellcheck", "--shell", "sh", "--norc", script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout


def test_every_refusal_is_a_code_that_sturdis_knows():
    used = set(
        re.findall(r"(?:refuse|uncuttable) ([a-z]+\.[a-z_]+)", TEXTS["start-with-passwords"])
    )
    assert used == set(REFUSALS)
    assert used <= set(CODES)


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_cuts_a_file_but_the_guard_itself(name):
    assert "--fix" not in TEXTS[name]
    assert TEXTS[name].count("truncate -s") == ("start" in name)


def programs(shell: Shell, **scripts: str) -> Path:
    """Put other programs in the place of the image's own."""
    folder = Path(shell.path.split(":")[0])
    shutil.rmtree(folder)
    folder.mkdir()
    for name, script in scripts.items():
        program(folder / name.replace("_", "-"), script)
    return folder


@every_shell
@pytest.mark.tier("embedded")
@pytest.mark.parametrize(
    ("scripts", "code"),
    [
        ({}, "server.missing"),
        ({"redis_server": "exit 9"}, "server.missing"),
        (
            {"redis_server": "echo 'Redis server v=6.2.21 sha=0'", "redis_check_aof": ""},
            "server.too_old",
        ),
        ({"redis_server": "echo 'KeyDB v=6.3.4'", "redis_check_aof": ""}, "server.unknown"),
    ],
)
def test_an_image_that_cannot_serve_is_refused(scripts, code, shell, tmp_path):
    data = tmp_path / "data"
    write(data, start_corpus.folder())
    programs(shell, **scripts)
    answer = run(shell, data)
    assert answer.stderr.startswith(f"error[{code}]: ")
    assert answer.returncode == ServerError.exit_status
    assert contents(data) == start_corpus.folder()


@every_shell
@pytest.mark.tier("embedded")
def test_a_checker_that_says_nothing_leads_to_no_cut(shell, tmp_path):
    data = tmp_path / "data"
    torn = start_corpus.folder(start_corpus.WHOLE + start_corpus.SET[:-4])
    write(data, torn)
    folder = Path(shell.path.split(":")[0])
    (folder / "valkey-check-aof").unlink()
    program(folder / "valkey-check-aof", "exit 1")
    answer = run(shell, data)
    # all of it is then judged by the script itself
    assert "mended: cut " in answer.stdout
    assert contents(data)[start_corpus.INCREMENT] == start_corpus.WHOLE


@every_shell
@pytest.mark.tier("embedded")
def test_a_volume_that_is_not_there_is_refused(shell, tmp_path):
    answer = run(shell, tmp_path / "data")
    assert answer.stderr.startswith("error[data.not_writable]: ")
    assert answer.returncode == DataError.exit_status


@every_shell
@pytest.mark.tier("embedded")
def test_an_end_that_cannot_be_kept_is_not_cut(shell, tmp_path):
    data = tmp_path / "data"
    left = start_corpus.folder(start_corpus.WHOLE + bytes(4096))
    write(data, left)
    limited = ("/bin/sh", "-c", 'ulimit -f 1; exec "$@"', "sh")  # 512 bytes
    answer = run(Shell((*limited, *shell.command), shell.path), data)
    assert "error[data.not_writable]: " in answer.stderr
    assert answer.returncode == DataError.exit_status
    assert contents(data).items() >= left.items()
    assert "mended: cut 4096 bytes" in run(shell, data).stdout
    kept = {f"{start_corpus.CUT}.{len(start_corpus.WHOLE)}": bytes(4096)}
    assert contents(data) == start_corpus.folder() | kept


@every_shell
@pytest.mark.tier("embedded")
def test_a_signal_while_the_file_is_looked_at_ends_the_start(shell, tmp_path):
    data = tmp_path / "data"
    write(data, start_corpus.folder())
    waiting, go = tmp_path / "waiting", tmp_path / "go"
    os.mkfifo(waiting)
    os.mkfifo(go)
    checker = Path(shell.path.split(":")[0], "valkey-check-aof")
    checker.unlink()
    program(checker, f"echo > {waiting}; read line < {go}")
    script = tmp_path / "start.sh"
    script.write_text(start_script(Spec(), Paths(str(data), "/missing/redis.conf")))
    with shell.start(script) as process:
        waiting.read_text()
        process.send_signal(signal.SIGTERM)
        go.write_text("go\n")
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (128 + signal.SIGTERM, "", "")
