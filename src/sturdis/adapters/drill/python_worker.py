"""Processes jobs with the Python BullMQ, and writes to the ledger what it did, outside Redis."""

import asyncio
import sys

from bullmq import Worker
from bullmq.job import Job

from sturdis.adapters.drill import python_client
from sturdis.adapters.drill.ledger_log import LedgerLog
from sturdis.adapters.drill.python_producer import now
from sturdis.core.drill.events import Done, FailedOnPurpose, Started
from sturdis.core.drill.load import LoadPlan

CLOSE_SECONDS = 10.0
"""Longest wait for jobs under way when the workers are closed."""


class FailureOnPurpose(Exception):  # noqa: N818  not an error of the drill
    """What the processor of a retried job raises, so that BullMQ tries it again."""


class Workers:
    """A plan's workers, on all of its queues; they run from here on.

    Args:
        plan: What to run.
        log: Where events are written.
        trouble: Given the error when the log cannot be written: the drill is worth nothing then.
    """

    def __init__(self, plan: LoadPlan, log: LedgerLog, trouble: "asyncio.Future[None]") -> None:
        self._plan = plan
        self._log = log
        self._trouble = trouble
        options = {
            "prefix": plan.prefix,
            "concurrency": plan.jobs_at_once,
            "lockDuration": plan.lock_duration,
            "stalledInterval": plan.stalled_interval,
            "maxStalledCount": plan.most_stalls,
        }
        self._workers = [
            Worker(
                queue,
                self._process,
                {**options, "connection": python_client.connect(plan.address)},
            )
            for queue in plan.queues
            for _ in range(plan.workers)
        ]
        for worker in self._workers:
            worker.on("error", _complain)

    async def close(self) -> None:
        """Let jobs under way end, for a while, and close all workers."""
        closing = (self._close(worker) for worker in self._workers)
        await asyncio.gather(*closing)

    async def _close(self, worker: Worker) -> None:
        # Without force an idle worker takes up to 5 s to close.
        try:
            await asyncio.wait_for(worker.close(force=not worker.jobs), CLOSE_SECONDS)
        except TimeoutError:
            await worker.close(force=True)

    async def _process(self, job: Job, _token: str) -> str:
        uuid, failures = str(job.data["uuid"]), int(job.data["failures"])
        who = {"uuid": uuid, "job_id": str(job.id), "worker": self._plan.writer}
        starts = job.attemptsStarted
        self._log.append(Started(now(), **who, starts=starts, attempts=job.attemptsMade))
        await asyncio.sleep(self._plan.work / 1000)
        if job.attemptsMade < failures:
            await self._write(FailedOnPurpose(now(), **who, starts=starts))
            raise FailureOnPurpose("failed on purpose")
        await self._write(Done(now(), **who, starts=starts))
        return "done"

    async def _write(self, event: Done | FailedOnPurpose) -> None:
        """Return when the event is on disk."""
        written = asyncio.wrap_future(self._log.append(event))
        await asyncio.wait([written])
        if (error := written.exception()) and not self._trouble.done():
            self._trouble.set_exception(error)
        await written


def _complain(error: Exception, *_job: object) -> None:
    sys.stderr.write(f"worker: {python_client.words(error)}\n")
