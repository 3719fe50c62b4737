"""rediss:// and unix:// on Debian's redis-server: what works, and each way it can fail."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sturdis.adapters.redis import target
from sturdis.core import address as addresses
from tests.integration.running import error_code, sturdis
from tests.integration.servers import LOOPBACK, start_server
from tests.integration.tls_servers import Authority, TlsServer, start_tls_server

pytestmark = pytest.mark.tier("redis-server")


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="module")
def good(tmp_path_factory, authority) -> Iterator[TlsServer]:
    files = authority.certificate("good", "127.0.0.1", "localhost")
    with start_tls_server(tmp_path_factory.mktemp("good"), authority, files) as server:
        yield server


def ping(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    return sturdis("cli", "--target", url, *options, "ping")


def test_every_check_is_made_over_tls(good, authority):
    answer = sturdis("verify", good.url, "--tls-ca", authority.ca, "--json")
    found = {one["id"]: one for one in json.loads(answer.stdout)["checks"]}
    assert found["ping"]["verdict"] == found["roundtrip"]["verdict"] == "pass"
    assert found["bullmq.job"]["verdict"] == "pass", found["bullmq.job"]
    assert json.loads(answer.stdout)["target"] == good.url
    do = found["memory.maxmemory"]["do"]
    assert sturdis(*shlex.split(do)[1:]).stdout == "OK\n", do


def test_tls_holds_without_a_password_every_time(good, authority):
    assert {ping(good.url, "--tls-ca", authority.ca).stdout for _ in range(10)} == {"PONG\n"}


def test_the_target_variable_names_a_target_with_tls(good, authority):
    environ = {**os.environ, "STURDIS_TARGET": good.url}
    assert sturdis("cli", "--tls-ca", authority.ca, "ping", env=environ).stdout == "PONG\n"


def test_whether_a_password_is_required_is_found_out_over_tls(tmp_path, authority):
    files = authority.certificate("closed", "127.0.0.1")
    secret = tmp_path / "secret"
    secret.write_text("s3cr3t\n")
    secret.chmod(0o600)
    closed = ("--requirepass", "s3cr3t")
    with start_tls_server(tmp_path / "server", authority, files, *closed) as server:
        options = (server.url, "--tls-ca", authority.ca, "--password-file", str(secret))
        answer = sturdis("verify", *options)
    assert "a password is required" in answer.stdout
    assert "completed after" in answer.stdout
    assert "s3cr3t" not in answer.stdout + answer.stderr


def test_an_unknown_authority_is_not_trusted(good, tmp_path):
    for options in ((), ("--tls-ca", Authority(tmp_path / "other").ca)):
        answer = ping(good.url, *options)
        assert (answer.returncode, error_code(answer)) == (13, "target.tls")
        assert "self-signed certificate in certificate chain" in answer.stderr
        assert "--tls-ca" in answer.stderr


def test_a_certificate_for_another_host_is_not_trusted(tmp_path, authority):
    files = authority.certificate("foreign", "redis.example")
    with start_tls_server(tmp_path, authority, files) as server:
        answer = ping(server.url, "--tls-ca", authority.ca)
    assert (answer.returncode, error_code(answer)) == (13, "target.tls")
    assert "not valid for '127.0.0.1'" in answer.stderr


def test_an_expired_certificate_is_not_trusted(tmp_path, authority):
    files = authority.certificate("old", "127.0.0.1", expired=True)
    with start_tls_server(tmp_path, authority, files) as server:
        answer = ping(server.url, "--tls-ca", authority.ca)
    assert (answer.returncode, error_code(answer)) == (13, "target.tls")
    assert "certificate has expired" in answer.stderr


@pytest.mark.parametrize("protocols", ["TLSv1.2", "TLSv1.3"])
def test_a_server_that_demands_a_certificate_is_shown_one(tmp_path, authority, protocols):
    files = authority.certificate("server", "127.0.0.1")
    cert, key = authority.certificate("client", "someone")
    alien = Authority(tmp_path / "alien").certificate("client", "someone")
    settings = ("--tls-protocols", protocols)
    with start_tls_server(tmp_path, authority, files, *settings, clients="yes") as server:
        trusted = (server.url, "--tls-ca", authority.ca)
        shown = ping(*trusted, "--tls-cert", cert, "--tls-key", key)
        none = ping(*trusted)
        wrong = ping(*trusted, "--tls-cert", alien[0], "--tls-key", alien[1])
    assert shown.stdout == "PONG\n", shown.stderr
    assert (none.returncode, error_code(none)) == (13, "target.tls")
    assert "it was shown none" in none.stderr
    assert "--tls-cert FILE" in none.stderr
    assert (wrong.returncode, error_code(wrong)) == (13, "target.tls")
    assert f"it was shown {alien[0]}" in wrong.stderr


def test_tls_spoken_to_a_plain_port_is_told_of(good, authority):
    answer = ping(f"rediss://{LOOPBACK}:{good.plain_port}", "--tls-ca", authority.ca)
    assert (answer.returncode, error_code(answer)) == (13, "target.tls")
    assert "without TLS" in answer.stderr
    assert "write redis://" in answer.stderr


def test_a_port_with_tls_that_is_spoken_to_plainly_is_told_of(good):
    for url in (good.url, good.url.replace("//", "//:password@")):
        answer = ping(url.replace("rediss", "redis"))
        assert (answer.returncode, error_code(answer)) == (13, "target.tls")
        assert "write rediss://" in answer.stderr


def test_files_that_cannot_be_used_are_refused_before_anybody_is_spoken_to(tmp_path, authority):
    cert, _key = authority.certificate("one", "someone")
    _cert, other_key = authority.certificate("two", "someone")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate\n")
    for options in (
        ("--tls-ca", str(tmp_path / "missing.pem")),
        ("--tls-ca", str(nonsense)),
        ("--tls-cert", str(tmp_path / "missing.pem")),
        ("--tls-cert", cert),
        ("--tls-cert", cert, "--tls-key", other_key),
        ("--tls-cert", cert, "--tls-key", str(nonsense)),
    ):
        answer = ping("rediss://127.0.0.1:1", *options)
        assert (answer.returncode, error_code(answer)) == (2, "usage.tls"), options


def test_a_socket_in_an_odd_folder_is_checked_as_well(tmp_path):
    socket = tmp_path / "a b?#%" / "redis.sock"
    socket.parent.mkdir()
    with start_server(tmp_path / "server", "--unixsocket", str(socket)):
        url = str(addresses.Address("", path=str(socket), db=3))
        answer = sturdis("verify", url, "--json")
        report = json.loads(answer.stdout)
        found = {one["id"]: one for one in report["checks"]}
        assert (report["target"], answer.stderr) == (url, "")
        assert found["roundtrip"]["verdict"] == found["bullmq.job"]["verdict"] == "pass"
        assert found["access"]["verdict"] == "pass"
        do = found["memory.maxmemory"]["do"]
        assert subprocess_of_a_shell(do) == "OK\n", do
        assert target.password_required(addresses.parse(url)) is False


def subprocess_of_a_shell(line: str) -> str:
    """Run a line as somebody who pastes it into a terminal."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_a_socket_that_is_not_there_is_unreachable(tmp_path):
    answer = ping(f"unix://{tmp_path}/none.sock")
    assert (answer.returncode, error_code(answer)) == (13, "target.unreachable")
    assert "No such file" in answer.stderr
