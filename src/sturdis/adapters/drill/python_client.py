"""The connection that BullMQ's producers and workers use in drills: the one that `up` prints."""

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

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
        host=address.host,
        port=address.port,
        db=address.db,
        username=address.username,
        password=address.password,
        decode_responses=True,
        socket_timeout=15,  # an idle worker blocks for up to 10 s
        retry=Retry(ExponentialBackoff(cap=2, base=0.1), retries=-1),
        retry_on_error=list(LEFT_AND_RETRIED),
    )


def words(error: Exception) -> str:
    """Give the server's whole line: the client takes the first word of those it knows."""
    code = getattr(error, "status_code", None)
    text = str(error) or type(error).__name__
    return text if not code or text.startswith(f"{code} ") else f"{code} {text}"
