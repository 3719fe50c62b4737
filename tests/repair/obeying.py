"""The Python BullMQ obeys orders, one after the other."""

import asyncio
import warnings
from collections import deque
from collections.abc import Iterable
from typing import Any

from bullmq import FlowProducer, Queue, Worker
from redis.asyncio import Redis

from tests.repair.orders import HOUR, QUEUES, Order

TOKEN = "worker:0"
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "delayed": {"delay": HOUR},
    "prioritised": {"priority": 3},
    "removed": {"removeOnComplete": True},
}


def obey(socket: str, orders: Iterable[Order]) -> None:
    """Do all orders on the server at a Unix socket."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BullMQ warns of the server's policy
        asyncio.run(_obey(socket, orders))


async def _obey(socket: str, orders: Iterable[Order]) -> None:
    clients = _Clients(socket)
    try:
        for order in orders:
            await clients.obey(order)
    finally:
        await clients.close()


def connect(socket: str, db: int = 0) -> "Redis":
    """Make a client as BullMQ wants it."""
    return Redis(unix_socket_path=socket, db=db, decode_responses=True)


class _Clients:
    def __init__(self, socket: str) -> None:
        self._client, self._cache = connect(socket), connect(socket, db=1)
        options = {"connection": self._client}
        self._queues = {name: Queue(name, dict(options)) for name in QUEUES}
        self._workers = {
            name: Worker(name, _never, {**options, "autorun": False}) for name in QUEUES
        }
        self._flows = FlowProducer(dict(options))
        self._active: dict[str, deque[Any]] = {name: deque() for name in QUEUES}

    async def obey(self, order: Order) -> None:
        verb, name, *rest = map(str, order)
        if verb == "cache":
            await self._cache.set(name, rest[0])
        elif verb == "add":
            await self._add(name, *rest)
        elif verb == "flow":
            await self._flow(name, *rest)
        elif verb == "take":
            if job := await self._workers[name].moveToActive(TOKEN):
                self._active[name].append(job)
        elif verb in {"complete", "fail"}:
            await self._end(verb, name)
        else:
            await getattr(self._queues[name], verb)()

    async def _add(self, name: str, uuid: str, text: str, kind: str) -> None:
        options = {"jobId": f"order-{uuid[:8]}"} if kind == "named" else OPTIONS[kind]
        data = {"uuid": uuid, "text": text}
        await self._queues[name].add(kind, data, {"attempts": 1, **options})

    async def _flow(self, name: str, uuid: str, text: str, *children: str) -> None:
        node = {"name": "flow", "queueName": name, "opts": {"attempts": 1}}
        below = [{**node, "data": {"uuid": child, "text": text}} for child in children]
        await self._flows.add({**node, "data": {"uuid": uuid, "text": text}, "children": below})

    async def _end(self, verb: str, name: str) -> None:
        if not self._active[name]:
            return
        job = self._active[name].popleft()
        if verb == "complete":
            await job.moveToCompleted({"sent": True}, TOKEN)
        else:
            await job.moveToFailed(ValueError("no such address"), TOKEN)

    async def close(self) -> None:
        for one in (*self._workers.values(), *self._queues.values(), self._flows):
            await one.close()
        for client in (self._client, self._cache):
            await client.aclose()


async def _never(_job: Any, _token: str) -> None:
    """Jobs are taken by orders alone."""
