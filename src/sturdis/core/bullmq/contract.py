"""The connection that BullMQ's producers and workers need, ready to paste.

Three things keep jobs going through a restart or a move of the server: workers that never give up
a request, clients that leave a server which turned read-only, and the offline queue left on.
"""

TYPESCRIPT = """\
import {{ Queue, Worker }} from 'bullmq';

const connection = {{
  host: '{host}',
  port: {port},{password_typescript}
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
        port={port},{password_python}
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


PASSWORD_TYPESCRIPT = "\n  password: process.env.REDIS_PASSWORD,"  # noqa: S105  no value
PASSWORD_PYTHON = '\n        password=os.environ["REDIS_PASSWORD"],'  # noqa: S105  no value


def typescript(host: str, port: int, *, password: bool = False) -> str:
    """Give the connection for BullMQ 6 with ioredis 6, in TypeScript."""
    login = PASSWORD_TYPESCRIPT if password else ""
    return TYPESCRIPT.format(host=host, port=port, password_typescript=login)


def python(host: str, port: int, *, password: bool = False) -> str:
    """Give the connection for the Python BullMQ 3."""
    login = PASSWORD_PYTHON if password else ""
    code = PYTHON.format(host=host, port=port, password_python=login)
    return f"import os\n\n{code}" if password else code
