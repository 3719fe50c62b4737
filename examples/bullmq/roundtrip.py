"""Adds jobs to BullMQ, lets a worker process them, and checks what Redis kept of each.

sturdis up --ephemeral -- python examples/bullmq/roundtrip.py
"""

import asyncio
import os
import sys
from urllib.parse import urlsplit
from uuid import uuid4

from bullmq import Queue, Worker
from bullmq.job import Job
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

JOBS = 10
SECONDS = 15


def connection(url: str) -> Redis:
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=15,  # an idle worker blocks for up to 10 s
        # wait for Redis instead of giving up; leave a server that turned read-only
        retry=Retry(ExponentialBackoff(cap=2, base=0.1), retries=-1),
        retry_on_error=[
            exceptions.BusyLoadingError,
            exceptions.ConnectionError,
            exceptions.ReadOnlyError,
            exceptions.TimeoutError,
        ],
    )


async def square(job: Job, _token: str) -> int:
    return int(job.data["number"]) ** 2


async def roundtrip(url: str) -> dict[int, int]:
    """Give what the jobs returned, by the number they were given, as Redis keeps it."""
    name = f"roundtrip-{uuid4()}"
    queue = Queue(name, {"connection": connection(url)})
    worker = Worker(name, square, {"connection": connection(url)})

    ended: asyncio.Queue[Job] = asyncio.Queue()
    worker.on("completed", lambda job, _result: ended.put_nowait(job))
    worker.on("failed", lambda job, _error: ended.put_nowait(job))

    await queue.addBulk([{"name": "square", "data": {"number": n}} for n in range(JOBS)])
    for _ in range(JOBS):
        await ended.get()
    results = {job.data["number"]: job.returnvalue for job in await queue.getCompleted()}

    await worker.close(force=True)  # no job is left; without force it may wait 5 s for one more
    await queue.obliterate(force=True)
    await queue.close()
    return results


def main() -> str:
    url = os.environ.get("REDIS_URL")
    if not url:
        print(
            "REDIS_URL is not set; `sturdis up --ephemeral -- python roundtrip.py` sets it",
            file=sys.stderr,
        )
        sys.exit(2)
    try:
        results = asyncio.run(asyncio.wait_for(roundtrip(url), SECONDS))
    except TimeoutError:
        sys.exit(f"roundtrip failed: not done within {SECONDS} s")
    if results != {n: n**2 for n in range(JOBS)}:
        sys.exit(f"roundtrip failed: the results are {results}")
    address = urlsplit(url)
    host = address.netloc.rpartition("@")[2]  # without the password
    return f"{JOBS} jobs added, processed and completed on {address.scheme}://{host}"


if __name__ == "__main__":
    print(main())
