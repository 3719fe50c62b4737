"""Drills, joined with the server that they break and the load that they make."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sturdis.wiring.targets import resolve

if TYPE_CHECKING:
    from sturdis.core.drill.kill9 import DrillRecord, Kill9


def kill9(
    drill: "Kill9", folder: Path, target: str | None = None, *, modules: Path | None = None
) -> "DrillRecord":
    """Kill the target's server again and again under load, and account for every job.

    The target is an `up` of this machine, which starts its server again. What it holds is at stake.

    Args:
        drill: What to do.
        folder: Where the ledger's log is written; no drill used it before.
        target: The address of an `up`; None finds the running one.
        modules: A folder with the Node BullMQ in its node_modules; None: only Python makes load.

    Raises:
        UsageError: The address is not understood.
        TargetError: There is no target, several, or it does not answer as Redis.
        AccessError: It does not let us in.
        DrillError: It is no `up` of this machine, did not serve again, or load or log failed.
    """
    from uuid import uuid4

    from sturdis.adapters.drill import ledger_log, load_process, server
    from sturdis.adapters.redis import link
    from sturdis.core.drill import kill9 as drills
    from sturdis.flows import kill9 as flow

    drill = drills.apart(drill, uuid4().hex)
    address = link.admitted(drills.place_of(resolve(target)))
    commands = load_process.commands(modules)
    plans = drills.load_plans(drill, address, str(folder), tuple(commands))
    with ExitStack() as parts:
        log = parts.enter_context(ledger_log.LedgerLog(folder, "drill"))
        starting = (load_process.LoadProcess(commands[plan.writer], plan) for plan in plans)
        loads = [parts.enter_context(load) for load in starting]
        killed = parts.enter_context(server.LocalServer(address))
        queues = server.DrillQueues(address, drill.prefix, drills.QUEUES)
        survey = flow.run(drill, flow.Stage(killed, loads, queues, log, server.SystemClock()))
    logs = ledger_log.read(folder)
    return drills.conclude(drill, logs.events, [str(one.path) for one in logs.torn], survey)
