"""What `doctor` finds wrong with a server, beside what this machine may have."""

import asyncio

from bullmq import Queue

from sturdis import wiring
from sturdis.core.doctor.diagnosis import Diagnoses, Diagnosis
from tests.integration.faults import url_of
from tests.integration.servers import Server

OF_THE_MACHINE = {"aof.slow_disk", "disk.slow", "disk.room", "memory.fork", "exporter.silent"}
"""What this machine may really have while other tests run on it."""

SETTINGS = ("--maxmemory", "200mb", "--appendonly", "yes", "--timeout", "0")
"""A server that lacks nothing."""


def examined(target: Server | str) -> Diagnoses:
    return wiring.doctor(target if isinstance(target, str) else url_of(target))


def ids(found: Diagnoses) -> set[str]:
    return {one.id for one in found.found} - OF_THE_MACHINE - {"settings.changed"}


def told(found: Diagnoses, name: str) -> Diagnosis:
    return next(one for one in found.found if one.id == name)


async def add(url: str, count: int, queue: str = "mails") -> None:
    producer = Queue(queue, {"connection": url})
    try:
        await asyncio.gather(*(producer.add("job", {"n": n}) for n in range(count)))
    finally:
        await producer.close()
