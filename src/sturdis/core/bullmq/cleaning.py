"""What may be removed from a queue that is in use, and the command that does it.

Safe are finished jobs, by BullMQ itself and in batches, and the oldest events. Never what waits, is
delayed or active: that is work which somebody was promised.
"""

import json
import shlex

from sturdis.core.bullmq.search import Queue

BATCH = 1_000
"""Jobs that one call removes: a script that runs for long holds everybody up."""

EVENTS_KEPT = 1_000

STATES = ("completed", "failed")
"""States that `clean` is safe for; of `failed` only where no job is of a flow."""

PROGRAM = (
    "const {{Queue}}=require('bullmq');"
    "const q=new Queue({name},{{prefix:{prefix},connection:{{url:process.env.REDIS_URL}}}});"
    "(async()=>{{let n;do{{n=(await q.clean(0,{batch},{state})).length}}while(n==={batch});"
    "await q.close()}})()"
)
"""For Node with BullMQ 5 or 6; its Queue and the server must be of one make."""


def clean(queue: Queue, state: str) -> str:
    """Give the command that removes all finished jobs of a state, where BullMQ is installed.

    It finds the server in REDIS_URL, as `sturdis up -- COMMAND` sets it.

    Raises:
        ValueError: It is no state of finished jobs.
    """
    if state not in STATES:
        raise ValueError(f"jobs in {state} are not finished")
    name, prefix, which = map(json.dumps, (queue.name, queue.prefix, state))
    program = PROGRAM.format(name=name, prefix=prefix, state=which, batch=BATCH)
    return f"node -e {shlex.quote(program)}"


def trim_events(queue: Queue, cli: str) -> str:
    """Give the command that removes all but the newest events; who reads them loses history."""
    return f"{cli} xtrim {shlex.quote(queue.key('events'))} maxlen {EVENTS_KEPT}"
