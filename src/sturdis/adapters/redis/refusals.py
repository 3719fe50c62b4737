"""The client library's errors as ours: what happened, why, what to type."""

import ssl

import redis

from sturdis.adapters.redis import tls
from sturdis.core.address import Address
from sturdis.core.errors import AccessError, TargetError

CONNECT_SECONDS = 3.0
"""Longest wait until the address accepts a connection."""


def words(error: redis.RedisError) -> str:
    """Give the server's whole line: the client takes the first word of those it knows."""
    code = getattr(error, "status_code", None)
    text = str(error)
    return text if not code or text.startswith(f"{code} ") else f"{code} {text}"


def unreachable(address: Address, error: redis.RedisError) -> TargetError:
    """Say why there is no connection."""
    cause = error.__context__
    handshake = "handshake" in str(cause)
    if address.tls is not None and (isinstance(cause, ssl.SSLError) or handshake):
        return tls.refusal(address, cause)
    if isinstance(cause, OSError) and not isinstance(cause, TimeoutError):
        reason = cause.strerror or str(cause)
    else:
        reason = f"no connection within {CONNECT_SECONDS:.0f} s"
    place = "the socket's path, and who may use it" if address.path else "host and port"
    return TargetError(
        "target.unreachable",
        f"nothing accepts connections at {address}",
        why=reason,
        do=f"check {place}; `sturdis up` starts one on this machine",
    )


def denied(address: Address, error: redis.AuthenticationError) -> AccessError:
    """Say that the user name or the password is refused."""
    user = "unix://USER@/PATH" if address.path else "redis://USER@HOST:PORT"
    return AccessError(
        "access.denied",
        f"{address} does not let us in",
        why=words(error),
        do=f"give the password with REDISCLI_AUTH or --password-file FILE, and the user in {user}",
    )


def refused(address: Address, error: redis.RedisError) -> TargetError:
    """Say that the server took the connection and refused to open it."""
    return TargetError(
        "target.refused",
        f"{address} refused to open the connection",
        why=words(error),
        do="check the database's number, and what the user's ACL allows",
    )


def sentinel(address: Address, cli: str) -> TargetError:
    """Say that a Sentinel answers there; `cli` is what to type before a Redis command."""
    return TargetError(
        "target.sentinel",
        f"{address} is a Sentinel, not a server with data",
        why="its INFO names sentinel as its mode",
        do=f"{cli} sentinel masters, then sturdis verify the ip and port that it names",
    )


def silent(address: Address, why: str) -> TargetError:
    """Say that what listens there is not heard as a Redis."""
    return TargetError(
        "target.silent",
        f"{address} accepts connections but does not answer as Redis",
        why=why,
        do="check that it is a Redis' port and that the server is not stopped or busy",
    )


def lost(address: Address, error: Exception) -> TargetError:
    """Say that an open connection broke."""
    return TargetError(
        "target.lost",
        f"the connection to {address} broke",
        why=str(error),
        do="try again; `sturdis verify` tells whether the server is well",
    )


def hung_up(address: Address, error: Exception) -> TargetError:
    """Say why the other side ended the connection before it had answered anything."""
    if address.tls is not None:
        return tls.refused_certificate(address, str(error))
    return tls.expected(address) or lost(address, error)
