"""A Redis address as people write it: redis://[user[:password]@]host[:port][/db]."""

from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from sturdis.core.errors import UsageError

DEFAULT_PORT = 6379

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""What this machine calls itself."""


@dataclass(frozen=True)
class Address:
    """Where a Redis answers, and as whom to speak to it. Its text never shows the password."""

    host: str
    port: int = DEFAULT_PORT
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    password_offered: bool = False
    """Whether the password was at hand rather than given for this address: a server that knows of
    no password is then spoken to without one."""

    def reaches(self, host: str, port: int) -> bool:
        """Tell whether `host`:`port` is the same place, this machine by whatever name."""
        same = self.host == host or (self.host in LOOPBACK and host in LOOPBACK)
        return same and self.port == port

    def __str__(self) -> str:
        user = f"{quote(self.username, safe='')}@" if self.username else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        db = f"/{self.db}" if self.db else ""
        return f"redis://{user}{host}:{self.port}{db}"


def parse(text: str) -> Address:
    """Read `text`.

    Raises:
        UsageError: `usage.address`. The message does not repeat the text: it may hold a password.
    """
    if "://" not in text:
        raise _refusal("it does not start with redis://")
    try:
        parts = urlsplit(text)
        port = DEFAULT_PORT if parts.port is None else parts.port
        db = int(parts.path.strip("/") or "0")
        (parts.hostname or "").encode("idna")  # what connecting would stumble over
    except ValueError as error:
        raise _refusal("its host, port or database has no meaning") from error
    if parts.scheme != "redis":
        raise _refusal(f"it starts with {parts.scheme}://, and only redis:// is known")
    if not parts.hostname or port == 0 or db < 0:
        raise _refusal("a host, a port from 1 and a database from 0 are needed")
    if parts.query or parts.fragment:
        raise _refusal("nothing may follow the database")
    return Address(
        parts.hostname,
        port,
        db,
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
    )


def parse_metrics_url(text: str) -> str:
    """Read the address of a metrics endpoint and give it back.

    Raises:
        UsageError: `usage.address`. The message does not repeat the text: it may hold a password.
    """
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        (parts.hostname or "").encode("idna")
    except ValueError:
        known = False
    if known:
        return text
    raise UsageError(
        "usage.address",
        "the address of the metrics is not understood",
        why="it is not http:// or https:// with a host and without a user",
        do="sturdis verify TARGET --metrics http://HOST:9121/metrics",
    )


def _refusal(why: str) -> UsageError:
    return UsageError(
        "usage.address",
        "the target is not an address that Sturdis understands",
        why=why,
        do="write redis://HOST:PORT, or redis://USER@HOST:PORT/DB with REDISCLI_AUTH set",
    )
