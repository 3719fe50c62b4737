"""The connection that BullMQ's producers and workers use in drills: the one that `up` prints."""

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from sturdis.adapters.redis import link, refusals
from sturdis.core.address import Address

LEFT_AND_RETRIED = [
    exceptions.BusyLoadingError,
    exceptions.ConnectionError,
    exceptions.ReadOnlyError,
    exceptions.TimeoutError,
]
"""What the printed connection answers with a new connection and the same command again."""


def connect(address: Address) -> Redis:
    """Make a client as `core.bullmq.contract` prints it, which waits for Redis without limit."""
    return Redis(
        **link.where(address),
        decode_responses=True,
        socket_timeout=15,  # an idle worker blocks for up to 10 s
        retry=Retry(ExponentialBackoff(cap=2, base=0.1), retries=-1),
        retry_on_error=list(LEFT_AND_RETRIED),
    )


def words(error: Exception) -> str:
    """Give the server's whole line, or what the client says of the connection."""
    if isinstance(error, exceptions.RedisError):
        return refusals.words(error)
    return str(error) or type(error).__name__
