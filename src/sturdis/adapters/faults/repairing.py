"""Repair of a rig's data between two starts, as a person does it."""

import shutil
import subprocess
import sys
from pathlib import Path

from sturdis.adapters.drill.rig import Rig
from sturdis.core.aof import guard as guards
from sturdis.core.errors import DrillError

REPAIRED_WITHIN = 300.0
"""Seconds; the data of a drill is repaired within two, by a machine that has nothing else to do."""


def repair(rig: Rig, number: int, *, seconds: float = REPAIRED_WITHIN) -> None:
    """Repair a copy, as the folder is held by the drill, and take the result for the data.

    Raises:
        DrillError: `drill.not_served`: it could not be repaired. `drill.lacking`: this machine was
            too slow for it, or has no room for the copy.
    """
    scratch = rig.data.parent / f"repair-{number}"
    parts = rig.data / guards.FOLDER
    try:
        shutil.copytree(parts, scratch / guards.FOLDER)
        _repair(scratch, rig.server.path, seconds)
        shutil.rmtree(parts)
        shutil.move(scratch / guards.FOLDER, parts)  # the data may be on a disk of its own
    except subprocess.TimeoutExpired as error:
        raise _lacking(scratch, f"the repair did not end within {seconds:g} s") from error
    except OSError as error:
        raise _lacking(scratch, str(error)) from error
    if rig.shim is not None:
        rig.shim.settle(durable=True)


def _repair(scratch: Path, server: str, seconds: float) -> None:
    command = [sys.executable, "-m", "sturdis", "repair", str(scratch), "--yes"]
    command += ["--server", server, "--keep", f"{scratch}-kept"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
    if ended.returncode:
        raise DrillError(
            "drill.not_served",
            "the damaged data could not be repaired",
            why=" ".join(ended.stderr.split())[-300:],
            do=f"sturdis repair {scratch} --dry-run",
        )


def _lacking(scratch: Path, why: str) -> DrillError:
    return DrillError(
        "drill.lacking",
        "the damaged data could not be repaired here",
        why=why,
        do=f"run the drill where there is less to do, or more room than here: {scratch}",
    )
