"""One connection to a Redis: replies as they are, foreign errors as ours."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sturdis.adapters.redis import refusals, tls
from sturdis.adapters.redis.refusals import CONNECT_SECONDS
from sturdis.core.address import Address
from sturdis.core.errors import AccessError, SturdisError, TargetError
from sturdis.core.replies import Command, ErrorReply, Reply

REPLY_SECONDS = 5.0
"""Longest wait for a reply, where the command itself does not wait."""

LINK_SECONDS = 60.0
"""Longest life of a connection of `verify`: who sends a byte now and then cannot hold it."""

ERROR_REPLIES = (redis.ResponseError, redis.BusyLoadingError)
"""What the client raises for an error reply; it counts LOADING among the broken connections."""


class Link(AbstractContextManager["Link"]):
    """A connection to `address`, opened on construction and used by one thread.

    Args:
        address: Where to connect, and as whom.
        reply_seconds: Longest wait for a reply; None waits for ever, as blocking commands need.
        life_seconds: After this time the connection is cut, whatever arrives; None: never.

    Raises:
        UsageError: `usage.tls`.
        TargetError: `target.unreachable`, `target.tls`, `target.silent`, `target.refused` or
            `target.lost`.
        AccessError: `access.denied`, here or at the first call.
    """

    def __init__(
        self,
        address: Address,
        *,
        reply_seconds: float | None = REPLY_SECONDS,
        life_seconds: float | None = None,
    ) -> None:
        self._address = address
        self._life_seconds = life_seconds
        self._accepted = self._answered = self._overdue = False
        self._connection: redis.Connection | None = None
        self._end = threading.Timer(life_seconds or 0, self._cut)
        self._end.daemon = True
        if life_seconds is not None:
            self._end.start()
        try:
            self._client = self._open(reply_seconds)
            self.call("PING")
        except SturdisError:
            self.close()
            raise

    def _open(self, reply_seconds: float | None) -> redis.Redis:
        if self._address.tls is not None:
            tls.check_files(self._address.tls)
        with self._translated():
            try:
                return _client(self._address, reply_seconds, self._greet)
            except ERROR_REPLIES as error:
                raise refusals.refused(self._address, error) from error
            except (redis.ConnectionError, redis.TimeoutError) as error:
                if self._accepted:
                    raise
                raise refusals.unreachable(self._address, error) from error

    def call(self, *words: str | bytes | int) -> Reply:
        """Send one command and give its reply.

        Raises:
            TargetError: `target.silent` or `target.lost`.
            AccessError: `access.denied`.
        """
        with self._translated():
            try:
                return _plain(self._client.execute_command(*words))
            except ERROR_REPLIES as error:
                return ErrorReply(refusals.words(error))

    def call_all(self, commands: Sequence[Command]) -> tuple[Reply, ...]:
        """Send commands in one go, and give their replies.

        Raises:
            TargetError: `target.silent` or `target.lost`.
            AccessError: `access.denied`.
        """
        self.send(*commands)
        return tuple(self.receive() for _ in commands)

    def send(self, *commands: Command) -> None:
        """Send commands without waiting; each needs one `receive` before the next `call`.

        Raises:
            TargetError: `target.silent` or `target.lost`.
        """
        with self._translated():
            packed = self._opened.pack_commands(commands)
            self._opened.send_packed_command(packed)

    def receive(self) -> Reply:
        """Give the next reply to what was sent.

        Raises:
            TargetError: `target.silent` or `target.lost`.
            AccessError: `access.denied`.
        """
        with self._translated():
            try:
                # LOADING is an answer: the client would hang up, and lose those that follow
                return _plain(self._opened.read_response(disconnect_on_error=False))
            except ERROR_REPLIES as error:
                return ErrorReply(refusals.words(error))

    @property
    def _opened(self) -> redis.Connection:
        return cast("redis.Connection", self._client.connection)  # there since construction

    def _greet(self, connection: redis.Connection) -> None:
        """Say who we are: called once the address has accepted the connection.

        A PING is sent as well. Over TLS 1.3 the server's tickets follow the handshake unasked; the
        client would take them for a reply that is left over, and give the connection up.
        """
        if self._overdue:  # the client would open a new one for the next command
            raise redis.ConnectionError("cut")
        self._accepted = True
        self._connection = connection
        connection.on_connect()
        connection.send_command("PING")
        with suppress(*ERROR_REPLIES):
            connection.read_response(disconnect_on_error=False)
        self._answered = True

    def _cut(self) -> None:
        """End the connection from another thread: whoever waits for a reply finds it ended."""
        self._overdue = True
        if self._connection is not None:
            self._connection.disconnect()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the client's errors into ours; the server's own error replies pass."""
        try:
            yield
        except redis.AuthenticationError as error:
            raise refusals.denied(self._address, error) from error
        except (redis.RedisError, OSError) as error:
            raise self._broken(error) from error

    def _broken(self, error: redis.RedisError | OSError) -> TargetError:
        if self._overdue:
            told = f"not all it had to answer came within {self._life_seconds:.0f} s"
            return refusals.silent(self._address, told)
        if isinstance(error, redis.TimeoutError):
            return refusals.silent(self._address, "no reply in time")
        if isinstance(error, redis.InvalidResponse):
            told = "what it sends is not Redis' protocol"
            wants_tls = None if self._answered else tls.expected(self._address)
            return wants_tls or refusals.silent(self._address, told)
        if not self._answered:
            return refusals.hung_up(self._address, error)
        return refusals.lost(self._address, error)

    def close(self) -> None:
        """Close the connection."""
        self._end.cancel()
        if hasattr(self, "_client"):
            self._client.close()

    def __exit__(self, *_error: object) -> None:
        self.close()


def where(address: Address) -> dict[str, Any]:
    """Give the client's options that lead to `address`, the same for its blocking and async forms.

    The host's name is held against the certificate.
    """
    password = address.password
    options: dict[str, Any] = {
        "db": address.db,
        "username": address.username,
        "password": None if password is None else password.encode(errors="surrogateescape"),
    }
    if address.path:
        return options | {"unix_socket_path": address.path}
    options |= {"host": address.host, "port": address.port}
    if address.tls is None:
        return options
    return options | {
        "ssl": True,
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": address.tls.ca,
        "ssl_certfile": address.tls.cert,
        "ssl_keyfile": address.tls.key,
    }


def _client(
    address: Address, reply_seconds: float | None, greet: Callable[[redis.Connection], None]
) -> redis.Redis:
    client = redis.Redis(
        **where(address),
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=reply_seconds,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
        redis_connect_func=greet,  # type: ignore[arg-type]  # its stub forgets the connection
        single_connection_client=True,
    )
    client.response_callbacks.clear()
    return client


def admitted(address: Address) -> Address:
    """Give the address as the server takes it: a password that was only offered may be too much.

    Raises:
        UsageError: `usage.tls`.
        TargetError: It cannot be reached, or does not answer as Redis.
        AccessError: It does not let us in.
    """
    try:
        Link(address, life_seconds=REPLY_SECONDS).close()
    except AccessError as error:
        if not (address.password_offered and "without any password configured" in error.why):
            raise
        address = replace(address, password=None, password_offered=False)
        Link(address, life_seconds=REPLY_SECONDS).close()
    return address


def _plain(reply: object) -> Reply:
    if isinstance(reply, redis.ResponseError):
        return ErrorReply(refusals.words(reply))
    if isinstance(reply, list):
        return tuple(_plain(item) for item in reply)
    if reply is None or isinstance(reply, bytes | int):
        return reply
    raise redis.InvalidResponse(f"no RESP2 reply: {type(reply)}")
