"""The proof that base and increments hold what the next base does, on a copy of the data."""

import shutil
from pathlib import Path

from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.faults.on_rig import expect
from sturdis.core.aof import guard as guards
from sturdis.core.drill.rig_plan import RigPlan
from sturdis.core.errors import DrillError

REWRITTEN_WITHIN = 30.0
EXPIRED_WITHIN = 60.0
"""Seconds. A job's lock expires; until then what is there depends on the time."""

SETTINGS = {"enable-debug-command": "yes"}
"""DEBUG DIGEST is what compares all that two servers hold."""


class ChainProof:
    """Proves chains of what a rig left behind, each in a rig of its own beside it."""

    def __init__(self, rig: Rig, journal: Journal) -> None:
        self._rig = rig
        self._journal = journal

    def holds(self, number: int) -> bool:
        """Tell whether a rewrite of what is there holds the same as it; the rig is down.

        Raises:
            DataError: The guard refuses the data.
            DrillError: `drill.not_served`: no server loads it, or it does not rewrite it.
        """
        folder = self._rig.data.parent / f"proof-{number}"
        parts = folder / "data" / guards.FOLDER
        shutil.copytree(self._rig.data / guards.FOLDER, parts)
        plan = RigPlan(self._rig.server.path, self._rig.plan.guarded, SETTINGS)
        try:
            with Rig(plan, folder, self._journal) as copy:
                copy.start()
                expect(lambda: not _expiring(copy), EXPIRED_WITHIN, "locks to expire")
                before = copy.call("DEBUG", "DIGEST")
                self._rewrite(copy)
                copy.end_all()
                copy.start()
                after = copy.call("DEBUG", "DIGEST")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return isinstance(before, bytes) and before == after

    def _rewrite(self, copy: Rig) -> None:
        base = _base(copy.data)
        reply = copy.call("BGREWRITEAOF")
        expect(lambda: _rewritten(copy, base), REWRITTEN_WITHIN, f"a rewrite ({reply!r})")


def _rewritten(copy: Rig, base: bytes) -> bool:
    info = copy.info()
    if info.get("aof_last_bgrewrite_status") != "ok":
        raise DrillError(
            "drill.not_served",
            "a copy of the drill's data was not rewritten",
            why="aof_last_bgrewrite_status is not ok",
            do="make room on the disk of the run's folder",
        )
    return info.get("aof_rewrite_in_progress") == "0" and _base(copy.data) != base


def _base(data: Path) -> bytes:
    """Give the manifest, which names the base."""
    return (data / guards.FOLDER / guards.MANIFEST).read_bytes()


def _expiring(copy: Rig) -> int:
    """Count the keys that will expire."""
    spaces = [value for name, value in copy.info().items() if name.startswith("db")]
    return sum(int(space.partition("expires=")[2].partition(",")[0] or 0) for space in spaces)
