"""Adds jobs with the Python BullMQ, and writes to the ledger what was promised of each."""

import asyncio
import time
from collections.abc import Sequence
from uuid import uuid4

from bullmq import FlowProducer, Queue
from redis.asyncio import Redis
from redis.exceptions import RedisError

from sturdis.adapters.drill import python_client
from sturdis.adapters.drill.ledger_log import LedgerLog
from sturdis.core.drill import load
from sturdis.core.drill.events import Acknowledged, InDoubt, Intent, Rejected
from sturdis.core.drill.load import Kind, LoadPlan, Order

NEVER_SETTLED = "never settled"
"""The reason of an add that has no answer when the producer ends."""


def now() -> int:
    """Give the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Producer:
    """Adds a plan's jobs at its rate, as many at once as it allows.

    Args:
        plan: What to add.
        log: Where events are written.
        trouble: Given the error when the log cannot be written: the drill is worth nothing then.
    """

    def __init__(self, plan: LoadPlan, log: LedgerLog, trouble: "asyncio.Future[None]") -> None:
        self._plan = plan
        self._log = log
        self._trouble = trouble
        self._queues = {
            name: Queue(name, {"connection": self._client(), "prefix": plan.prefix})
            for name in plan.queues
        }
        self._flows = FlowProducer({"connection": self._client(), "prefix": plan.prefix})
        self._filling = {"filling": "x" * plan.filling} if plan.filling else {}
        self._places = asyncio.Semaphore(plan.adds_at_once)
        self._adds: dict[asyncio.Task[None], Sequence[Intent]] = {}

    async def run(self) -> None:
        """Add jobs until it is cancelled; adds that were begun go on."""
        number, begun = 0, time.monotonic()
        while True:
            await asyncio.sleep(begun + number / self._plan.rate - time.monotonic())
            await self._places.acquire()
            order = load.order(self._plan, number)
            intents = _intents(order)
            add = asyncio.create_task(self._add(order, intents))
            self._adds[add] = intents
            add.add_done_callback(self._ended)
            number += 1

    async def settle(self) -> None:
        """Wait for the answers of all adds, and write of those without one that they are in doubt.

        Closes the producer.
        """
        if self._adds:
            _settled, open_adds = await asyncio.wait(self._adds, timeout=self._plan.settle / 1000)
            for add in open_adds:
                self._doubt(self._adds[add], NEVER_SETTLED)
                add.cancel()
            await asyncio.gather(*open_adds, return_exceptions=True)
        for queue in self._queues.values():
            await queue.close()
        await self._flows.close()

    def _client(self) -> Redis:
        return python_client.connect(self._plan.address)

    def _ended(self, add: "asyncio.Task[None]") -> None:
        del self._adds[add]
        self._places.release()
        error = None if add.cancelled() else add.exception()
        if error and not self._trouble.done():
            self._trouble.set_exception(error)

    async def _add(self, order: Order, intents: Sequence[Intent]) -> None:
        await asyncio.wrap_future(self._log.append(*intents))
        try:
            ids = await self._send(order, intents)
        except (RedisError, OSError) as error:
            reason = python_client.words(error)
            if load.definite(reason, self._plan.definite):
                at = now()
                self._log.append(*(Rejected(at, one.uuid, reason) for one in intents))
            else:
                self._doubt(intents, reason)
        else:
            at = now()
            told = zip(intents, ids, strict=True)
            self._log.append(*(Acknowledged(at, one.uuid, job_id) for one, job_id in told))

    async def _send(self, order: Order, intents: Sequence[Intent]) -> list[str]:
        """Add the job, or the flow, and give the job ids in the order of the intents."""
        first, *rest = intents
        if order.kind is Kind.FLOW:
            tree = await self._flows.add({
                **self._node(first),
                "children": [self._node(child) for child in rest],
            })  # fmt: skip
            return [tree["job"].id, *(child["job"].id for child in tree["children"])]
        options: dict[str, object] = {}
        if order.delay:
            options["delay"] = order.delay
        if order.priority:
            options["priority"] = order.priority
        if order.failures:
            options["attempts"] = order.failures + 1
            options["backoff"] = {"type": "fixed", "delay": load.RETRY_AFTER}
        data = {"uuid": first.uuid, "failures": order.failures, **self._filling}
        job = await self._queues[order.queue].add(order.kind.value, data, options)
        return [job.id]

    def _node(self, intent: Intent) -> dict[str, object]:
        data = {"uuid": intent.uuid, "failures": 0, **self._filling}
        return {"name": intent.kind, "queueName": intent.queue, "data": data}

    def _doubt(self, intents: Sequence[Intent], reason: str) -> None:
        at = now()
        self._log.append(*(InDoubt(at, one.uuid, reason) for one in intents))


def _intents(order: Order) -> tuple[Intent, ...]:
    """Say what is about to be added: one job, or a parent before its children."""
    at, kind = now(), order.kind.value
    first = Intent(at, str(uuid4()), order.queue, kind, order.delay)
    if order.kind is not Kind.FLOW:
        return (first,)
    children = (
        Intent(at, str(uuid4()), order.queue, "child", parent=first.uuid)
        for _ in range(load.CHILDREN)
    )
    return (first, *children)
