"""`up --bind` and `--password-file`: other machines come in, who does not know the password not."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sturdis.adapters.local import binaries
from tests.integration.running import STURDIS, error_code, program, running, sturdis
from tests.integration.verdicts import not_passed

PASSWORD = 'long "and" quoted\\secret'

pytestmark = pytest.mark.tier("embedded")


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    path.chmod(0o600)
    return str(path)


def test_listening_beyond_this_machine_needs_a_password(tmp_path):
    answer = sturdis("up", "--data", str(tmp_path / "data"), "--bind", "0.0.0.0")
    assert (answer.returncode, error_code(answer)) == (2, "usage")
    assert "do:  sturdis up --bind 0.0.0.0 --password-file FILE" in answer.stderr
    assert not (tmp_path / "data").exists()


def test_with_a_password_it_listens_and_lets_in_who_knows_it(password_file):
    options = ("--ephemeral", "--server", "embedded", "--bind", "0.0.0.0")
    with running(*options, "--password-file", password_file) as up:
        refused = sturdis("cli", "ping")
        assert (refused.returncode, error_code(refused)) == (14, "access.denied")
        knows = {**os.environ, "REDISCLI_AUTH": PASSWORD}
        assert sturdis("cli", "ping", env=knows).stdout == "PONG\n"
        assert not_passed(env=knows)[1] == {}, "metrics too are read with the password"
        bind = sturdis("cli", "config", "get", "bind", env=knows).stdout
        assert bind == "bind\n0.0.0.0\n"
        assert PASSWORD not in json.dumps(up.ready)


def test_the_password_is_in_the_configuration_alone_and_for_its_user_alone(password_file, tmp_path):
    data = tmp_path / "data"
    options = ("--data", str(data), "--server", "embedded", "--password-file", password_file)
    with running(*options) as up:
        shown = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
        assert "quoted" not in shown
        assert stat.S_IMODE((data / "redis.conf").stat().st_mode) == 0o600
        up.stop()
    for path in data.rglob("*"):
        assert path.name == "redis.conf" or not path.is_file() or b"quoted" not in path.read_bytes()


def test_the_command_gets_the_password_and_the_paste_asks_for_it(password_file):
    script = "sturdis cli ping; printenv REDIS_URL STURDIS_TARGET"
    answer = sturdis(
        *("up", "--ephemeral", "--server", "embedded", "--password-file", password_file),
        *("--", "sh", "-c", script),
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    pong, url, target = answer.stdout.splitlines()
    assert pong == "PONG"
    assert url.startswith("redis://:long%20%22and%22%20quoted%5Csecret@127.0.0.1:")
    assert target.startswith("redis://127.0.0.1:")
    assert "quoted" not in answer.stderr


def test_the_banner_shows_where_the_password_goes_and_never_itself(password_file):
    command = [*STURDIS, "up", "--ephemeral", "--server", "embedded"]
    command += ["--password-file", password_file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown = ""
        while "sturdis verify" not in shown:
            shown += (line := process.stdout.readline())
            assert line, shown
        process.terminate()
    assert "password: process.env.REDIS_PASSWORD," in shown
    assert 'password=os.environ["REDIS_PASSWORD"],' in shown
    assert "with a password" in shown
    assert "quoted" not in shown


@pytest.mark.parametrize("content", ["", "\n", "two\nlines", "bell\a", None])
def test_a_file_without_a_password_is_refused(content, tmp_path):
    path = tmp_path / "password"
    if content is not None:
        path.write_text(content)
    answer = sturdis("up", "--ephemeral", "--password-file", str(path))
    assert (answer.returncode, error_code(answer)) == (14, "access.unreadable")


def test_an_address_of_another_machine_is_refused(password_file):
    options = ("--bind", "203.0.113.1", "--password-file", password_file)
    answer = sturdis("up", "--ephemeral", *options)
    assert (answer.returncode, error_code(answer)) == (12, "port.refused")
    assert "203.0.113.1 cannot be listened on" in answer.stderr


def test_a_server_without_the_memory_to_start_says_so(tmp_path):
    kibibytes = 20_000  # of address space: enough for the program, too little to run
    limited = f'[ "$1" = --version ] || ulimit -v {kibibytes}'
    server = program(tmp_path / "server", f'{limited}\nexec {binaries.find_embedded()} "$@"')
    free = ("--port", "0", "--metrics-port", "0")
    answer = sturdis("up", "--data", str(tmp_path / "data"), "--server", server, *free)
    assert (answer.returncode, error_code(answer)) == (10, "server.exited")
