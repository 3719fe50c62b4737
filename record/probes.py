"""`python -m record.probes [RELEASE]`: who sees that a server refuses writes.

Each configuration's server is brought to refuse writes by its own disk: an fsync of its append-only
file fails, or, where it has none, its snapshot does. Then it is probed as its probe asks.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import matrix

from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.faults import on_rig
from sturdis.core.drill import configurations, record_table
from sturdis.core.drill.configurations import Configuration, Probe
from sturdis.core.drill.rig_plan import RigPlan
from sturdis.core.replies import ErrorReply

WITHIN = 30.0
"""Longest wait for a refusal, in seconds."""

COLUMNS = ("configuration", "what failed", "reply to PING", "`redis-cli ping` exits", "its probe")


def main(release: str) -> None:
    """Print the table."""
    (row,) = (one for one in matrix.ROWS if str(one) == release)
    rows = [probed(one, row.server) for one in configurations.ALL]
    sys.stdout.write("".join(f"{line}\n" for line in record_table.table(COLUMNS, rows)))


def probed(one: Configuration, server: str) -> tuple[str, ...]:
    """Have one configuration's server refuse writes, and probe it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        plan = RigPlan(server, guarded=one.guarded, settings=one.settings, preload=True)
        with Journal(folder) as journal, Rig(plan, folder / "rig", journal) as rig:
            rig.start()
            failed = fail(rig)
            reply = rig.call("PING")
            words = reply.text.split()[0] if isinstance(reply, ErrorReply) else "PONG"
            exits = ping_status(rig.address.port)
    return one.name, failed, words, str(exits), told(one.liveness, words, exits)


def fail(rig: Rig) -> str:
    """Let the disk fail what the server needs of it, until it refuses writes.

    Raises:
        TimeoutError: It did not, in `WITHIN` seconds.
    """
    if rig.info().get("aof_enabled") == "1":
        if rig.shim is None:
            raise ValueError("no shim")
        rig.shim.fail(1 << 20)
        failed = "an fsync"
    else:
        shutil.rmtree(rig.data)
        rig.call("BGSAVE")
        failed = "a snapshot"
    if not on_rig.come(lambda: isinstance(rig.call("SET", "a", "b"), ErrorReply), WITHIN):
        raise TimeoutError("the server still takes writes")
    return failed


def ping_status(port: int) -> int:
    """Give the exit status of `redis-cli ping`."""
    command = ["redis-cli", "-p", str(port), "ping"]
    return subprocess.run(command, capture_output=True, check=False).returncode


def told(probe: Probe, words: str, exits: int) -> str:
    """Say what the probe makes of it."""
    match probe:
        case Probe.REPLY:
            return f"alive, and {words} is told" if words != "PONG" else "sees nothing"
        case Probe.PONG_OR_LOADING:
            alive = words in {"PONG", "LOADING"}
            return "sees nothing" if alive else "dead: started again, unsaved writes are lost"
        case Probe.EXIT_STATUS:
            return "sees nothing" if exits == 0 else "dead: started again"
        case Probe.NONE:
            return "there is none"


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["redis-8.0"]))
