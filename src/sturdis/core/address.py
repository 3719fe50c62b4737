"""A Redis address as people write it: redis://, rediss:// over TLS, unix:// and a socket."""

from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, quote, unquote, urlsplit

from sturdis.core.errors import UsageError

DEFAULT_PORT = 6379

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""What this machine calls itself."""

FORMS = "redis://[USER@]HOST[:PORT][/DB], rediss://… over TLS, or unix://[USER@]/PATH[?db=DB]"
"""The forms of an address, for help."""

SCHEMES = ("redis", "rediss", "unix")


@dataclass(frozen=True)
class Tls:
    """The PEM files of a connection over TLS. The server's name is always checked: docs/adr/0026.

    Args:
        ca: Trusted beside the authorities that this machine trusts.
        cert: Shown to a server that asks for a certificate.
        key: Belongs to `cert`; None: it is in the same file.
    """

    ca: str | None = None
    cert: str | None = None
    key: str | None = None


NO_FILES = Tls()


@dataclass(frozen=True)
class Address:
    """Where a Redis answers, and as whom to speak to it. Its text never shows the password."""

    host: str
    port: int = DEFAULT_PORT
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    """Bytes that are not UTF-8 are kept as surrogate escapes."""
    password_offered: bool = False
    """Whether the password was at hand rather than given for this address: a server that knows of
    no password is then spoken to without one."""
    path: str = ""
    """The Unix socket; host and port then mean nothing."""
    tls: Tls | None = None
    """None: plain."""

    def reaches(self, host: str, port: int) -> bool:
        """Tell whether `host`:`port` is the same place, this machine by whatever name."""
        same = self.host == host or (self.host in LOOPBACK and host in LOOPBACK)
        return same and self.port == port and not self.path

    def without_login(self) -> "Address":
        """Give the same place as somebody sees it who has no password, in its first database."""
        return replace(self, db=0, username=None, password=None, password_offered=False)

    def __str__(self) -> str:
        user = f"{quote(self.username, safe='')}@" if self.username else ""
        if self.path:
            db = f"?db={self.db}" if self.db else ""
            return f"unix://{user}{quote(self.path, errors='surrogateescape')}{db}"
        scheme = "rediss" if self.tls else "redis"
        host = f"[{self.host}]" if ":" in self.host else self.host
        db = f"/{self.db}" if self.db else ""
        return f"{scheme}://{user}{host}:{self.port}{db}"


def parse(text: str) -> Address:
    """Read `text`.

    Raises:
        UsageError: `usage.address`. The message does not repeat the text: it may hold a password.
    """
    if not text:
        raise _refusal("it is empty, perhaps a variable that is not set")
    if "://" not in text:
        raise _refusal("it does not start with redis://, rediss:// or unix://")
    try:
        parts = urlsplit(text)
        if parts.scheme not in SCHEMES:
            raise _refusal(f"{parts.scheme}:// is not known; redis://, rediss:// and unix:// are")
        place = _of_socket(parts) if parts.scheme == "unix" else _of_network(parts)
        username = unquote(parts.username or "", errors="strict")
        username.encode()
        password = unquote(parts.password or "", errors="surrogateescape")
    except ValueError as error:
        raise _refusal("its user, host, port or database has no meaning") from error
    if parts.fragment:
        raise _refusal("nothing may follow the database; write # as %23")
    return replace(place, username=username or None, password=password or None)


def _of_network(parts: SplitResult) -> Address:
    port = DEFAULT_PORT if parts.port is None else parts.port
    db = _database(parts.path.strip("/"))
    (parts.hostname or "").encode("idna")  # what connecting would stumble over
    if not parts.hostname or port == 0:
        raise _refusal("a host and a port from 1 are needed")
    if parts.query:
        raise _refusal("nothing may follow the database; write ? as %3F")
    return Address(parts.hostname, port, db, tls=NO_FILES if parts.scheme == "rediss" else None)


def _of_socket(parts: SplitResult) -> Address:
    path = unquote(parts.path, errors="surrogateescape")
    if parts.netloc.rpartition("@")[2] or len(path) <= 1 or "\0" in path:
        raise _refusal("the whole path of the socket is needed: unix:///PATH, or unix://USER@/PATH")
    name, equals, db = parts.query.partition("=")
    if parts.query and (name != "db" or not equals):
        raise _refusal("only ?db=DB may follow the path; write ? as %3F")
    return Address("", db=_database(db), path=path)


def _database(text: str) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text or "0")


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
