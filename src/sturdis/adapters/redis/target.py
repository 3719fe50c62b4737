"""A Redis at an address, looked at as `verify` needs it."""

import time
from collections.abc import Callable, Mapping
from uuid import uuid4

from sturdis.adapters import bullmq_job, metrics_http
from sturdis.adapters.local import machine
from sturdis.adapters.redis import asking, keyspace, link, refusals, restarts, runs, trials
from sturdis.adapters.redis.link import LINK_SECONDS, REPLY_SECONDS, Link
from sturdis.core.address import LOOPBACK, Address
from sturdis.core.checks import server
from sturdis.core.errors import AccessError, TargetError
from sturdis.core.facts import (
    NOT_TRIED,
    Features,
    JobRun,
    Machine,
    NoScrape,
    NotVisible,
    Pinged,
    Refused,
    Restarted,
    RoundTrip,
    Scrape,
    ServerFacts,
    Unseen,
)
from sturdis.core.replies import ErrorReply, Reply, text
from sturdis.core.runs import PREFIX
from sturdis.core.supervision.limits import START_SECONDS

_Tried = tuple[RoundTrip | Refused | Unseen, Features | Unseen, JobRun | Refused | Unseen]


class RedisTarget:
    """A Redis at an address.

    Args:
        address: Where it answers.
        cli: What to type before a Redis command to reach it again.
        metrics_url: Where its metrics are; None: not known.
        guarded: Whether it is started behind the guard of the append-only file.
        read_only: Whether to send nothing that writes.
        start_seconds: Longest wait for it to serve after a restart.
    """

    def __init__(
        self,
        address: Address,
        *,
        cli: str,
        metrics_url: str | None,
        guarded: bool = False,
        read_only: bool = False,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self._address = address
        self._cli = cli
        self._metrics_url = metrics_url
        self._guarded = guarded
        self._read_only = read_only
        self._start_seconds = start_seconds

    def observe(self) -> ServerFacts:
        """Look once.

        Raises:
            TargetError: Nothing that speaks Redis answers there.
            AccessError: It does not let us in.
        """
        address = link.admitted(self._address)
        with Link(address, life_seconds=LINK_SECONDS) as connection:
            ping = _ping(connection)
            config, info = _config(connection), asking.info(connection)
            if _is_sentinel(info):
                raise refusals.sentinel(self._address, self._cli)
            seen_machine = _machine(address, info, config)  # at once: the server's age tells
            sample, queues = keyspace.look(connection)  # before anything of ours is written
            round_trip, features, job = self._try(address, connection, ping)
            return ServerFacts(
                address=str(self._address),
                cli=self._cli,
                ping=ping,
                config=config,
                info=info,
                guarded=self._guarded,
                machine=seen_machine,
                password_required=password_required(address),
                round_trip=round_trip,
                scrape=self._scrape(),
                features=features,
                job=job,
                sample=sample,
                queues=queues,
            )

    def survive(
        self, restart: Callable[[], Refused | Unseen | None]
    ) -> Restarted | Refused | Unseen:
        """Restart with a marker in the server, and look for it afterwards.

        Raises:
            TargetError: It does not answer before the restart.
            AccessError: It does not let us in.
        """
        marker = f"{PREFIX}:{uuid4()}:restart"
        address = link.admitted(self._address)
        return restarts.survived(address, marker, self._start_seconds, restart)

    def _try(self, address: Address, connection: Link, ping: Pinged | Unseen) -> _Tried:
        if self._read_only:
            return NOT_TRIED, NOT_TRIED, NOT_TRIED
        with runs.registered(connection) as mark:
            return (
                trials.round_trip(connection, f"{mark}:roundtrip"),
                _features(address, connection, mark),
                _job(address, ping, mark),
            )

    def _scrape(self) -> Scrape | NoScrape | Unseen:
        if self._metrics_url is None:
            return Unseen("where the metrics of this server are was not said")
        return metrics_http.fetch(self._metrics_url)


def _features(address: Address, connection: Link, mark: str) -> Features | Unseen:
    try:
        with Link(address, life_seconds=LINK_SECONDS) as other:
            return trials.features(connection, other, f"{mark}:features")
    except TargetError as error:
        return Unseen(error.why)


def _job(address: Address, ping: Pinged | Unseen, mark: str) -> JobRun | Refused | Unseen:
    if isinstance(ping, Pinged) and ping.text != "PONG":
        return Unseen(f"not tried: PING was answered with {ping.text}")
    return bullmq_job.run(address, mark)


def password_required(address: Address) -> bool | Unseen:
    """Tell whether the server turns away who gives no password."""
    try:
        with Link(address.without_login(), life_seconds=REPLY_SECONDS) as connection:
            reply = connection.call("PING")
            return Unseen(text(reply)) if _withheld(reply) else False
    except AccessError:
        return True
    except TargetError as error:
        return Unseen(error.why)


def _ping(connection: Link) -> Pinged | Unseen:
    started = time.perf_counter()
    reply = connection.call("PING")
    taken = (time.perf_counter() - started) * 1000
    return Unseen(text(reply)) if _withheld(reply) else Pinged(text(reply), taken)


def _config(connection: Link) -> Mapping[str, str] | Unseen:
    names = server.settings_looked_at()
    replies = connection.call_all([("CONFIG", "GET", name) for name in names])
    config = {}
    for name, reply in zip(names, replies, strict=True):
        if isinstance(reply, ErrorReply):
            return Unseen(f"CONFIG GET is refused: {reply.text}")
        if isinstance(reply, tuple) and reply:
            config[name] = text(reply[1])
    return config


def _is_sentinel(info: Mapping[str, str] | Unseen) -> bool:
    if isinstance(info, Unseen):
        return False
    return "sentinel" in (info.get("redis_mode"), info.get("server_mode"))  # Redis', Valkey's


def _machine(
    address: Address, info: Mapping[str, str] | Unseen, config: Mapping[str, str] | Unseen
) -> Machine | NotVisible | Unseen:
    if not (address.path or address.host in LOOPBACK):
        return machine.NOT_HERE
    if isinstance(info, Unseen):
        return info
    return machine.of_server(info, None if isinstance(config, Unseen) else config.get("dir"))


def _withheld(reply: Reply) -> bool:
    return isinstance(reply, ErrorReply) and reply.withheld
