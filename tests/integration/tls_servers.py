"""A redis-server that speaks TLS, and certificates for it that nobody else trusts."""

import contextlib
import datetime as dt
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

from sturdis.adapters.local import ports
from tests.integration.servers import LOOPBACK, answers, wait_until

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class Authority:
    """Signs certificates and keeps them as files in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._authority = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self._authority.cert_pem.write_to_path(self.ca)

    def certificate(self, name: str, *identities: str, expired: bool = False) -> tuple[str, str]:
        """Sign a certificate for `identities`; give its file and that of its key."""
        ends = LONG_AGO + dt.timedelta(days=1) if expired else None
        begins = LONG_AGO if expired else None
        signed = self._authority.issue_cert(*identities, not_before=begins, not_after=ends)
        cert, key = (str(self._folder / f"{name}.{kind}") for kind in ("crt", "key"))
        signed.cert_chain_pems[0].write_to_path(cert)
        signed.private_key_pem.write_to_path(key)
        return cert, key


@dataclass(frozen=True)
class TlsServer:
    """Where a server answers with TLS and without."""

    port: int
    plain_port: int

    @property
    def url(self) -> str:
        return f"rediss://{LOOPBACK}:{self.port}"


@contextlib.contextmanager
def start_tls_server(
    folder: Path, authority: Authority, files: tuple[str, str], *settings: str, clients: str = "no"
) -> Iterator[TlsServer]:
    """Run redis-server with the certificate and key `files` until the block ends.

    `clients` says whether it demands certificates that `authority` signed: yes, no, optional.
    """
    folder.mkdir(exist_ok=True)
    port, plain = (ports.claim(0, option="port") for _ in range(2))
    command = [
        "redis-server", "--bind", LOOPBACK, "--dir", str(folder), "--save", "",
        "--port", str(plain), "--tls-port", str(port), "--tls-auth-clients", clients,
        "--tls-cert-file", files[0], "--tls-key-file", files[1],
        "--tls-ca-cert-file", authority.ca, *settings,
    ]  # fmt: skip
    with (
        (folder / "server.log").open("ab") as log,
        subprocess.Popen(command, stdout=log) as process,
    ):
        try:
            wait_until(lambda: answers(plain, process, ""), f"an answer on port {plain}")
            yield TlsServer(port, plain)
        finally:
            process.kill()
