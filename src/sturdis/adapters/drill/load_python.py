"""Load by the Python BullMQ, run as a process of its own with `python -m` and this module's name.

Standard input: the plan as one line of JSON, later the line `stop adding`; its end ends the load,
and so does the line `end`.
Standard output: the line `ready`, and `added` when no add is without an answer any more.
"""

import asyncio
import contextlib
import sys
import warnings
from pathlib import Path

import msgspec

from sturdis.adapters.drill.ledger_log import LedgerLog
from sturdis.adapters.drill.python_producer import Producer
from sturdis.adapters.drill.python_worker import Workers
from sturdis.core.drill.load import END, LoadPlan
from sturdis.core.errors import DrillError


def main() -> int:
    """Run the plan on standard input until that ends, and give the exit status."""
    # BullMQ warns of the server's policy, which is not the drill's matter.
    warnings.simplefilter("ignore")
    try:
        asyncio.run(_run())
    except DrillError as error:
        sys.stderr.write(f"{error.what}: {error.why}\n")
        return error.exit_status
    return 0


async def _run() -> None:
    told = await _input()
    plan = msgspec.json.decode(await told.readline(), type=LoadPlan)
    trouble: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    with LedgerLog(Path(plan.folder), plan.writer) as log:
        workers = Workers(plan, log, trouble)
        load = asyncio.create_task(_obey(told, plan, Producer(plan, log, trouble)))
        await asyncio.wait([load, trouble], return_when=asyncio.FIRST_COMPLETED)
        if trouble.done():
            load.cancel()
            await trouble
        await load
        await workers.close()


async def _obey(told: asyncio.StreamReader, plan: LoadPlan, producer: Producer) -> None:
    """Add jobs until told to stop, and return when told to end."""
    adding = asyncio.create_task(producer.run() if plan.rate else asyncio.sleep(0))
    _tell("ready")
    line = await told.readline()
    adding.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await adding
    await producer.settle()
    _tell("added")
    while line not in {b"", END}:
        line = await told.readline()


async def _input() -> asyncio.StreamReader:
    """Read standard input, a pipe, without a thread that would outlast the load."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    return reader


def _tell(what: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{what}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
