"""Repair of a rig's data between two starts, as a person does it."""

import shutil
import subprocess
import sys

from sturdis.adapters.drill.rig import Rig
from sturdis.core.aof import guard as guards
from sturdis.core.errors import DrillError

REPAIRED_WITHIN = 60.0
"""Seconds; the data of a drill is repaired within two."""


def repair(rig: Rig, number: int) -> None:
    """Repair a copy, as the folder is held by the drill, and take the result for the data.

    Raises:
        DrillError: `drill.not_served`: it could not be repaired.
    """
    scratch = rig.data.parent / f"repair-{number}"
    parts = rig.data / guards.FOLDER
    shutil.copytree(parts, scratch / guards.FOLDER)
    command = [sys.executable, "-m", "sturdis", "repair", str(scratch), "--yes"]
    command += ["--server", rig.server.path, "--keep", f"{scratch}-kept"]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=REPAIRED_WITHIN
    )
    if ended.returncode:
        raise DrillError(
            "drill.not_served",
            "the damaged data could not be repaired",
            why=" ".join(ended.stderr.split())[-300:],
            do=f"sturdis repair {scratch} --dry-run",
        )
    shutil.rmtree(parts)
    shutil.move(scratch / guards.FOLDER, parts)  # the data may be on a disk of its own
