"""Where a password may come from, and that it is never shown."""

import contextlib
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.running import STURDIS, error_code, sturdis
from tests.integration.servers import start_server

pytestmark = pytest.mark.tier("embedded")

SECRET = "s3cr3t ü"


@pytest.fixture(scope="module")
def closed(tmp_path_factory) -> Iterator[str]:
    """A server that demands a password: `redis://…`."""
    folder = tmp_path_factory.mktemp("closed")
    with start_server(folder, "--requirepass", SECRET, ready="") as server:
        yield f"redis://127.0.0.1:{server.port}"


def password_file(folder: Path, content: bytes, mode: int = 0o600) -> str:
    path = folder / "my password"
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def ping(url: str, *options: str, **more: object) -> subprocess.CompletedProcess[str]:
    answer = sturdis("cli", "--target", url, *options, "ping", **more)
    assert SECRET not in answer.stdout + answer.stderr
    return answer


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_password_file_holds_the_password_and_perhaps_the_end_of_a_line(closed, tmp_path, end):
    path = password_file(tmp_path, f"{SECRET}{end}".encode())
    answer = ping(closed, "--password-file", path)
    assert (answer.stdout, answer.stderr) == ("PONG\n", "")


def test_only_one_end_of_a_line_is_taken_off(closed, tmp_path):
    answer = ping(closed, "--password-file", password_file(tmp_path, f"{SECRET}\n\n".encode()))
    assert (answer.returncode, error_code(answer)) == (14, "access.denied")


def test_a_password_need_not_be_utf8(tmp_path):
    path = password_file(tmp_path, b"\xff\xfe")
    with start_server(tmp_path / "server") as server:
        server.call("ACL", "SETUSER", "raw", "on", "~*", "&*", "+@all", b">\xff\xfe")
        url = f"redis://raw@127.0.0.1:{server.port}"
        assert ping(url, "--password-file", path).stdout == "PONG\n"
        answer = sturdis("verify", url, "--password-file", path)
        assert "completed after" in answer.stdout


def test_a_password_comes_through_a_pipe(closed):
    assert ping(closed, "--password-file", "-", input=SECRET).stdout == "PONG\n"
    assert ping(closed, "--password-file", "/dev/stdin", input=SECRET).stdout == "PONG\n"


def test_a_terminal_is_asked_without_showing_what_is_typed(closed):
    leader, follower = pty.openpty()
    with subprocess.Popen(
        ["setsid", "--ctty", *STURDIS, "cli", "--target", closed, "--password-file", "-", "ping"],
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=follower,
        text=True,
    ) as process:
        shown = b""
        while not shown.endswith(b"password: "):
            shown += os.read(leader, 100)
        os.write(leader, f"{SECRET}\n".encode())
        assert process.communicate(timeout=20)[0] == "PONG\n"
    os.set_blocking(leader, False)
    with contextlib.suppress(BlockingIOError):
        shown += os.read(leader, 1000)
    assert shown.decode().split() == ["password:"]
    os.close(leader)
    os.close(follower)


def test_a_file_that_everybody_can_read_is_warned_of(closed, tmp_path):
    path = password_file(tmp_path, SECRET.encode(), mode=0o644)
    answer = ping(closed, "--password-file", path)
    assert answer.stdout == "PONG\n"
    assert answer.stderr.startswith("warning: every user of this machine can read")
    assert path in answer.stderr


def test_a_password_in_the_address_works_and_is_warned_of(closed):
    answer = ping(closed.replace("//", "//:s3cr3t%20%C3%BC@"))
    assert answer.stdout == "PONG\n"
    assert answer.stderr.startswith("warning: the password in the address is shown")
    environ = {**os.environ, "STURDIS_TARGET": closed.replace("//", "//:s3cr3t%20%C3%BC@")}
    quiet = sturdis("cli", "ping", env=environ)
    assert (quiet.stdout, quiet.stderr) == ("PONG\n", "")


def test_a_file_without_a_password_is_told_of(closed, tmp_path):
    for path in (
        str(tmp_path / "missing"),
        str(tmp_path),
        password_file(tmp_path, b"\n"),
        "/dev/zero",
        "",
    ):
        answer = ping(closed, "--password-file", path)
        assert (answer.returncode, error_code(answer)) == (14, "access.unreadable"), path


def test_two_passwords_are_one_too_many(closed, tmp_path):
    path = password_file(tmp_path, SECRET.encode())
    answer = ping(closed.replace("//", "//:x@"), "--password-file", path)
    assert (answer.returncode, error_code(answer)) == (2, "usage")


def test_what_a_report_says_to_type_asks_for_the_password_again(closed, tmp_path):
    path = password_file(tmp_path, SECRET.encode())
    asked = sturdis("verify", closed.replace("//", "//:s3cr3t%20%C3%BC@")).stdout
    assert f"do:   sturdis cli --target {closed} --password-file - config set maxmemory" in asked
    read = sturdis("verify", closed, "--password-file", path).stdout
    assert f"--password-file '{path}' config set maxmemory" in read
    assert SECRET not in asked + read
