"""One real BullMQ job through a server, under a prefix of its own that is removed afterwards."""

import asyncio
import time
import warnings
from collections.abc import Sequence
from uuid import uuid4

from bullmq import Queue, Worker
from bullmq.job import Job
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from sturdis.adapters.redis.link import where
from sturdis.core.address import Address
from sturdis.core.bullmq import keys
from sturdis.core.facts import JobRun, Refused, Unseen
from sturdis.core.replies import ErrorReply

QUEUE = "probe"
JOB_ID = "job"
"""Chosen beforehand, so that the job can be removed even when the reply to its add is lost."""

JOB_SECONDS = 5.0
"""Longest time from adding the job to its end; a local one takes about 10 ms."""

REPLY_SECONDS = 12.0
"""Longest wait for one reply: a worker blocks for up to 10 s on an empty queue."""


def left_by(prefix: str) -> tuple[str, ...]:
    """Name every key that a run below `prefix` may leave."""
    return (*keys.of_queue(prefix, QUEUE), *keys.of_job(prefix, QUEUE, JOB_ID))


def run(address: Address, prefix: str) -> JobRun | Refused | Unseen:
    """Add one job below `prefix`, process it, and remove every key of the queue."""
    with warnings.catch_warnings():
        # BullMQ warns of a policy other than noeviction; the check on the policy says it better.
        warnings.simplefilter("ignore")
        try:
            return asyncio.run(_run(address, prefix))
        except TimeoutError:  # before OSError, of which it is a kind
            return Refused(f"the job was not completed within {JOB_SECONDS:.0f} s")
        except (RedisError, OSError, _WorkerError) as error:
            code = getattr(error, "status_code", None)
            words = f"{code} {error}" if code else str(error)
            if isinstance(error, NoPermissionError) or ErrorReply(words).withheld:
                return Unseen(f"the server refuses BullMQ's commands to this user: {words}")
            return Refused(words)


class _WorkerError(Exception):
    """What a worker told of that is no error of its connection: what caused it, in its words."""


async def _run(address: Address, prefix: str) -> JobRun:
    sent = str(uuid4())
    queue = Queue(QUEUE, {"connection": _client(address), "prefix": prefix})
    try:
        started = time.perf_counter()
        adding = queue.add("probe", {"sent": sent}, {"jobId": JOB_ID})
        await asyncio.wait_for(adding, JOB_SECONDS)
        returned = await _process(address, prefix)
        taken = (time.perf_counter() - started) * 1000
        state = await asyncio.wait_for(queue.getJobState(JOB_ID), JOB_SECONDS)
        return JobRun(f"{prefix}:{QUEUE}", JOB_ID, state, sent, returned, taken)
    finally:
        async with asyncio.timeout(REPLY_SECONDS):
            try:
                await _remove(queue.client, left_by(prefix))
            finally:
                await queue.close()


async def _remove(client: Redis, left: Sequence[str]) -> None:
    try:
        await client.unlink(*left)
    except ResponseError:  # a user or a server without UNLINK
        await client.delete(*left)


async def _process(address: Address, prefix: str) -> str:
    """Work on the queue until its first job has ended, and give what the job returned."""
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def give_back(job: Job, _token: str) -> str:
        return str(job.data["sent"])

    def settle(_job: Job, result: object) -> None:
        if not ended.done():
            ended.set_result(str(result))

    def give_up(error: BaseException | None, *_rest: object) -> None:
        if error is not None and not ended.done():
            ended.set_exception(_cause(error))

    def ended_by_itself(run: asyncio.Future[None]) -> None:
        if not run.cancelled():
            give_up(run.exception())

    worker = Worker(
        QUEUE,
        give_back,
        {"connection": _client(address), "prefix": prefix, "autorun": False},
    )
    worker.on("completed", settle)
    worker.on("failed", settle)
    worker.on("error", give_up)
    running = asyncio.ensure_future(worker.run())
    running.add_done_callback(ended_by_itself)
    try:
        return await asyncio.wait_for(ended, JOB_SECONDS)
    finally:
        await asyncio.wait_for(worker.close(force=True), JOB_SECONDS)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _cause(error: BaseException) -> BaseException:
    """Give the server's own words behind what the worker made of them."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, RedisError | OSError):
            return behind
        behind = behind.__context__
    return _WorkerError(str(error))


def _client(address: Address) -> Redis:
    """Make the client that a queue or a worker uses: no retries, for a check must end."""
    return Redis(
        **where(address),
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=REPLY_SECONDS,
    )
