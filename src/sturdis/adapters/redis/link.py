"""One connection to a Redis: replies as they are, foreign errors as ours."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sturdis.core.address import Address
from sturdis.core.errors import AccessError, SturdisError, TargetError
from sturdis.core.replies import ErrorReply, Reply

CONNECT_SECONDS = 3.0
"""Longest wait until the address accepts a connection."""

REPLY_SECONDS = 5.0
"""Longest wait for a reply, where the command itself does not wait."""


ERROR_REPLIES = (redis.ResponseError, redis.BusyLoadingError)
"""What the client raises for an error reply; it counts LOADING among the broken connections."""


class Link(AbstractContextManager["Link"]):
    """A connection to `address`, opened on construction and used by one thread.

    Args:
        address: Where to connect, and as whom.
        reply_seconds: Longest wait for a reply; None waits for ever, as blocking commands need.

    Raises:
        TargetError: `target.unreachable`, `target.silent`, `target.refused` or `target.lost`.
        AccessError: `access.denied`, here or at the first call.
    """

    def __init__(self, address: Address, *, reply_seconds: float | None = REPLY_SECONDS) -> None:
        self._address = address
        self._accepted = False
        with _translated(address):
            try:
                self._client = _client(address, reply_seconds, self._greet)
            except ERROR_REPLIES as error:
                raise _refused(address, error) from error
            except (redis.ConnectionError, redis.TimeoutError) as error:
                if self._accepted:
                    raise
                raise _unreachable(address, error) from error
        try:
            self.call("PING")
        except SturdisError:
            self.close()
            raise

    def call(self, *words: str | bytes | int) -> Reply:
        """Send one command and give its reply.

        Raises:
            TargetError: `target.silent` or `target.lost`.
            AccessError: `access.denied`.
        """
        with _translated(self._address):
            try:
                return _plain(self._client.execute_command(*words))  # type: ignore[no-untyped-call]
            except ERROR_REPLIES as error:
                return ErrorReply(_words(error))

    def _greet(self, connection: redis.Connection) -> None:
        """Say who we are: called once the address has accepted the connection."""
        self._accepted = True
        connection.on_connect()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __exit__(self, *_error: object) -> None:
        self.close()


def _client(
    address: Address, reply_seconds: float | None, greet: Callable[[redis.Connection], None]
) -> redis.Redis:
    client = redis.Redis(
        host=address.host,
        port=address.port,
        db=address.db,
        username=address.username,
        password=address.password,
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


@contextmanager
def _translated(address: Address) -> Iterator[None]:
    """Turn the client's errors into ours; the server's own error replies pass."""
    try:
        yield
    except redis.AuthenticationError as error:
        raise _denied(address, error) from error
    except redis.TimeoutError as error:
        raise _silent(address, "no reply in time") from error
    except redis.InvalidResponse as error:
        raise _silent(address, "what it sends is not Redis' protocol") from error
    except (redis.ConnectionError, OSError) as error:
        raise _lost(address, error) from error


def admitted(address: Address) -> Address:
    """Give the address as the server takes it: a password that was only offered may be too much.

    Raises:
        TargetError: It cannot be reached, or does not answer as Redis.
        AccessError: It does not let us in.
    """
    try:
        Link(address).close()
    except AccessError as error:
        if not (address.password_offered and "without any password configured" in error.why):
            raise
        address = replace(address, password=None, password_offered=False)
        Link(address).close()
    return address


def _unreachable(address: Address, error: redis.RedisError) -> TargetError:
    cause = error.__context__
    if isinstance(cause, OSError) and not isinstance(cause, TimeoutError):
        reason = cause.strerror or str(cause)
    else:
        reason = f"no connection within {CONNECT_SECONDS:.0f} s"
    return TargetError(
        "target.unreachable",
        f"nothing accepts connections at {address}",
        why=reason,
        do="check host and port; `sturdis up` starts one on this machine",
    )


def _plain(reply: object) -> Reply:
    if isinstance(reply, redis.ResponseError):
        return ErrorReply(_words(reply))
    if isinstance(reply, list):
        return tuple(_plain(item) for item in reply)
    if reply is None or isinstance(reply, bytes | int):
        return reply
    raise TypeError(f"no RESP2 reply: {type(reply)}")


def _words(error: redis.RedisError) -> str:
    """Give the server's whole line: the client takes the first word of those it knows."""
    code = getattr(error, "status_code", None)
    text = str(error)
    return text if not code or text.startswith(f"{code} ") else f"{code} {text}"


def _denied(address: Address, error: redis.AuthenticationError) -> AccessError:
    return AccessError(
        "access.denied",
        f"{address} does not let us in",
        why=_words(error),
        do="set REDISCLI_AUTH to the password, and name the user in redis://USER@HOST:PORT",
    )


def _refused(address: Address, error: redis.RedisError) -> TargetError:
    return TargetError(
        "target.refused",
        f"{address} refused to open the connection",
        why=_words(error),
        do="check the database's number, and what the user's ACL allows",
    )


def _silent(address: Address, why: str) -> TargetError:
    return TargetError(
        "target.silent",
        f"{address} accepts connections but does not answer as Redis",
        why=why,
        do="check that it is a Redis' port and that the server is not stopped or busy",
    )


def _lost(address: Address, error: Exception) -> TargetError:
    return TargetError(
        "target.lost",
        f"the connection to {address} broke",
        why=str(error),
        do="try again; `sturdis verify` tells whether the server is well",
    )
