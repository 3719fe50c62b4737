"""TLS: files that can be used, and why a connection did not come about."""

import socket
import ssl
from contextlib import suppress

from sturdis.core.address import Address, Tls
from sturdis.core.errors import TargetError, UsageError

ASK_SECONDS = 2.0
"""Longest wait of each try that finds out what the other side speaks."""


def check_files(tls: Tls) -> None:
    """Load the files of `tls` once, before anybody is spoken to.

    Raises:
        UsageError: `usage.tls`.
    """
    if tls.ca is not None:
        try:
            ssl.create_default_context(cafile=tls.ca)
        except OSError as error:
            raise _unusable("--tls-ca", tls.ca, error) from error
    if tls.cert is not None:
        try:
            context = ssl.create_default_context()
            context.load_cert_chain(tls.cert, tls.key, password=_no_pass_phrase)
        except OSError as error:
            raise _unusable("--tls-cert", tls.cert, error) from error


def _no_pass_phrase() -> bytes:
    raise OSError("the key is protected by a pass phrase")


def _unusable(option: str, path: str, error: OSError) -> UsageError:
    if isinstance(error, ssl.SSLError):
        why = f"no PEM certificate and key that belong together: {error.reason or error}"
    else:
        why = error.strerror or str(error)
    return UsageError(
        "usage.tls",
        f"the file {path!r} of {option} cannot be used",
        why=why,
        do="--tls-ca CA.pem --tls-cert CERT.pem --tls-key KEY.pem, the key without a pass phrase",
    )


def refusal(address: Address, error: BaseException | None) -> TargetError:
    """Say why no TLS connection to `address` came about, `error` being the library's reason."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrusted(address, error)
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        return refused_certificate(address, str(error.reason))
    if _speaks_plain(address):
        return _no_tls(address, "it speaks Redis without TLS", "redis://")
    return TargetError(
        "target.tls",
        f"no TLS connection to {address}",
        why=f"it does not answer as TLS: {getattr(error, 'reason', None) or error}",
        do="check that the port is the one with TLS",
    )


def _distrusted(address: Address, error: ssl.SSLCertVerificationError) -> TargetError:
    return TargetError(
        "target.tls",
        f"the certificate of {address} is not trusted",
        why=error.verify_message,
        do="name the host as its certificate does, and its authority with --tls-ca FILE",
    )


def refused_certificate(address: Address, why: str) -> TargetError:
    """Say that the server hung up where it looks at the client's certificate."""
    shown = address.tls.cert if address.tls else None
    told = f"it was shown {shown}" if shown else "it was shown none, and may demand one"
    return TargetError(
        "target.tls",
        f"{address} ended the connection as it looked at our certificate",
        why=f"{why}; {told}",
        do="--tls-cert FILE --tls-key FILE, signed by an authority that the server trusts",
    )


def expected(address: Address) -> TargetError | None:
    """Give the refusal of an address that was spoken to plainly and wants TLS, else None."""
    if address.tls is not None or address.path or not _speaks_tls(address):
        return None
    return _no_tls(address, "it speaks TLS", "rediss://")


def _no_tls(address: Address, why: str, scheme: str) -> TargetError:
    return TargetError(
        "target.tls",
        f"{address} is spoken to in the wrong way",
        why=why,
        do=f"write {scheme} instead",
    )


def _speaks_tls(address: Address) -> bool:
    """Tell whether a TLS handshake is answered; nothing is sent over it, so it may be anyone's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            _connected(address) as plain,
            context.wrap_socket(plain, server_hostname=address.host),
        ):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except OSError:
        return False


def _speaks_plain(address: Address) -> bool:
    """Tell whether a bare PING is answered as Redis does; no password is sent."""
    with suppress(OSError), _connected(address) as plain:
        plain.sendall(b"PING\r\n")
        return plain.recv(64)[:1] in (b"+", b"-")
    return False


def _connected(address: Address) -> socket.socket:
    return socket.create_connection((address.host, address.port), ASK_SECONDS)
