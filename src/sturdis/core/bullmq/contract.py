"""The connection that BullMQ's producers and workers need, ready to paste.

Three things keep jobs going through a restart or a move of the server: workers that never give up
a request, clients that leave a server which turned read-only, and the offline queue left on.
"""

TYPESCRIPT = """\
import {{ Queue, Worker }} from 'bullmq';

const connection = {{
  host: '{host}',
  port: {port},
  maxRetriesPerRequest: null, // workers wait for Redis instead of giving up
  // a server that turned read-only is left: reconnect, and send the command again
  reconnectOnError: (error: Error) => (error.message.includes('READONLY') ? 2 : false),
}};

const queue = new Queue('myqueue', {{ connection }});
const worker = new Worker('myqueue', async (job) => job.data, {{ connection }});
worker.on('error', console.error);
"""

PYTHON = """\
from bullmq import Queue, Worker
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, ReadOnlyError, TimeoutError


def connection() -> Redis:
    # waits for Redis instead of giving up; leaves a server that turned read-only
    return Redis(
        host="{host}",
        port={port},
        decode_responses=True,
        socket_timeout=15,  # an idle worker blocks for up to 10 s
        retry=Retry(ExponentialBackoff(cap=2, base=0.1), retries=-1),
        retry_on_error=[BusyLoadingError, ConnectionError, ReadOnlyError, TimeoutError],
    )


async def process(job, token):
    return job.data


# inside your event loop; each takes a connection of its own
queue = Queue("myqueue", {{"connection": connection()}})
worker = Worker("myqueue", process, {{"connection": connection()}})
"""


def typescript(host: str, port: int) -> str:
    """Give the connection for BullMQ 6 with ioredis 6, in TypeScript."""
    return TYPESCRIPT.format(host=host, port=port)


def python(host: str, port: int) -> str:
    """Give the connection for the Python BullMQ 3."""
    return PYTHON.format(host=host, port=port)
