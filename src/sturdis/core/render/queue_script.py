"""The script by which redis_exporter counts the jobs that wait in each queue; docs/adr/0034."""

from sturdis.core import units
from sturdis.core.errors import SpecError
from sturdis.core.spec import Spec

FILE = "queues.lua"
"""Its name in the pod; the exporter finds it by REDIS_EXPORTER_SCRIPT."""

PREFIX = "bull"
"""What BullMQ begins its keys with unless it is told otherwise."""

WAITING = {"wait": "LLEN", "prioritized": "ZCARD", "paused": "LLEN"}
"""Keys of a queue that hold jobs a worker could take now, and what counts them; `paused` is where
BullMQ 5 and older keep them while the queue is paused."""

MOST_BYTES = 512 << 10
"""Longest script, in bytes: half of what a ConfigMap holds. A thousand names of 256 letters fit."""

_SCRIPT = """\
#!lua flags=no-writes
-- Written by sturdis from monitoring.queues; edit the spec, not this file.
local queues = {%s}
local parts = {%s}
local waiting = {}
for _, queue in ipairs(queues) do
  local jobs = 0
  for part, count in pairs(parts) do
    local length = redis.pcall(count, "%s:" .. queue .. ":" .. part)
    -- a key of another type is no queue's
    if type(length) == "number" then jobs = jobs + length end
  end
  waiting[#waiting + 1] = queue
  waiting[#waiting + 1] = tostring(jobs)
end
return waiting
"""


def queue_script(spec: Spec) -> str:
    """Give the Lua script for `monitoring.queues`, in ASCII: name, jobs, name, jobs, and so on.

    Raises:
        SpecError: The names are too long together for a ConfigMap.
    """
    queues = "".join(f"\n  {_quoted(queue)}," for queue in spec.monitoring.queues)
    parts = ", ".join(f'{part} = "{count}"' for part, count in WAITING.items())
    script = _SCRIPT % (f"{queues}\n" if queues else "", parts, PREFIX)
    if len(script) > MOST_BYTES:
        raise SpecError(
            "spec.invalid",
            f"monitoring.queues: {len(spec.monitoring.queues)} names are too long together",
            why=f"they make a script of {units.human_bytes(len(script))}, and a ConfigMap has room "
            f"for {units.human_bytes(MOST_BYTES)} of it",
            do="name fewer queues, those whose depth should wake somebody",
        )
    return script


def _quoted(text: str) -> str:
    """Write a string of Lua 5.1: what is not a plain sign as a byte's three digits."""
    plain = {byte for byte in range(0x20, 0x7F) if chr(byte) not in '"\\'}
    written = (chr(byte) if byte in plain else f"\\{byte:03d}" for byte in text.encode())
    return f'"{"".join(written)}"'
