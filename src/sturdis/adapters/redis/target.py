"""A Redis at an address, looked at as `verify` needs it."""

import time
from collections.abc import Mapping
from uuid import uuid4

from sturdis.adapters import bullmq_job, metrics_http
from sturdis.adapters.redis import link
from sturdis.adapters.redis.link import LINK_SECONDS, REPLY_SECONDS, Link
from sturdis.core.address import Address
from sturdis.core.errors import AccessError, TargetError
from sturdis.core.facts import (
    CONFIG_NAMES,
    JobRun,
    NoScrape,
    Pinged,
    Refused,
    RoundTrip,
    Scrape,
    ServerFacts,
    Unseen,
)
from sturdis.core.replies import ErrorReply, Reply

PREFIX = "sturdis:verify"
"""Everything that a look writes is below this prefix and a UUID; nothing else is touched."""

KEY_SECONDS = 60
"""After this time the server itself drops a key that an interrupted look left."""


class RedisTarget:
    """A Redis at an address.

    Args:
        address: Where it answers.
        cli: What to type before a Redis command to reach it again.
        metrics_url: Where its metrics are; None: not known.
    """

    def __init__(self, address: Address, *, cli: str, metrics_url: str | None) -> None:
        self._address = address
        self._cli = cli
        self._metrics_url = metrics_url

    def observe(self) -> ServerFacts:
        """Look once.

        Raises:
            TargetError: Nothing that speaks Redis answers there.
            AccessError: It does not let us in.
        """
        mark = f"{PREFIX}:{uuid4()}"
        address = link.admitted(self._address)
        with Link(address, life_seconds=LINK_SECONDS) as connection:
            ping = _ping(connection)
            return ServerFacts(
                address=str(self._address),
                cli=self._cli,
                ping=ping,
                config=_config(connection),
                password_required=password_required(address),
                round_trip=_round_trip(connection, f"{mark}:roundtrip"),
                scrape=self._scrape(),
                job=_job(address, ping, mark),
            )

    def _scrape(self) -> Scrape | NoScrape | Unseen:
        if self._metrics_url is None:
            return Unseen("where the metrics of this server are was not said")
        return metrics_http.fetch(self._metrics_url)


def _job(address: Address, ping: Pinged, mark: str) -> JobRun | Refused | Unseen:
    if ping.text != "PONG":
        return Unseen(f"not tried: PING was answered with {ping.text}")
    return bullmq_job.run(address, mark)


def password_required(address: Address) -> bool | Unseen:
    """Tell whether the server turns away who gives no password."""
    try:
        with Link(address.without_login(), life_seconds=REPLY_SECONDS):
            return False
    except AccessError:
        return True
    except TargetError as error:
        return Unseen(error.why)


def _ping(connection: Link) -> Pinged:
    started = time.perf_counter()
    reply = connection.call("PING")
    return Pinged(text(reply), (time.perf_counter() - started) * 1000)


def _config(connection: Link) -> Mapping[str, str] | Unseen:
    config = {}
    for name in CONFIG_NAMES:
        reply = connection.call("CONFIG", "GET", name)
        if isinstance(reply, ErrorReply):
            return Unseen(f"CONFIG GET is refused: {reply.text}")
        if isinstance(reply, tuple) and reply:
            config[name] = text(reply[1])
    return config


def _round_trip(connection: Link, key: str) -> RoundTrip | Refused | Unseen:
    written = str(uuid4())
    for reply in (
        connection.call("SET", key, written, "EX", KEY_SECONDS),
        read := connection.call("GET", key),
        deleted := connection.call("DEL", key),
    ):
        if isinstance(reply, ErrorReply):
            refused = reply.text.startswith("NOPERM")
            return Unseen(reply.text) if refused else Refused(reply.text)
    return RoundTrip(
        key,
        written,
        None if read is None else text(read),
        deleted if isinstance(deleted, int) else 0,
    )


def text(reply: Reply) -> str:
    """Give a reply's text, whatever its kind."""
    if isinstance(reply, ErrorReply):
        return reply.text
    return reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)
