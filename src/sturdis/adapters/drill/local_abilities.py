"""What drills can do with a server of their own on this machine."""

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from sturdis.adapters.drill import rig_parts
from sturdis.adapters.faults import firewall, shim
from sturdis.core.drill.abilities import Abilities, Ability

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HAS = ""
"""The machine has the ability."""

LINUX = "needs Linux"


def find(server: str) -> Abilities:
    """Say of each ability why the server at the path `server` cannot be given it here."""
    looks: Mapping[Ability, Callable[[], str]] = {
        Ability.PRELOAD: lambda: shim.missing(server),
        Ability.SMALL_DISK: _small_disk,
        Ability.MEMORY_LIMIT: _memory_limit,
        Ability.FILE_LIMIT: _file_limit,
        Ability.FIREWALL: firewall.missing,
    }
    always = (
        Ability.KILL,
        Ability.RESTART,
        Ability.DATA_FILES,
        Ability.SET_CONFIGURATION,
        Ability.PROXY,
        Ability.OTHER_SERVER,
    )
    return dict.fromkeys(always, HAS) | {one: look() for one, look in looks.items()}


def _small_disk() -> str:
    if sys.platform != "linux":
        return LINUX
    unshare = shutil.which("unshare")
    if unshare is None:
        return "no unshare on PATH (util-linux)"
    tried = subprocess.run([unshare, "--mount", "true"], capture_output=True, check=False)
    return HAS if tried.returncode == 0 else "only root may mount a disk"


def _memory_limit() -> str:
    if sys.platform != "linux":
        return LINUX
    root, _setting = rig_parts.memory_controller()
    return HAS if os.access(root, os.W_OK) else f"{root} cannot be written: needs root and cgroups"


def _file_limit() -> str:
    return HAS if shutil.which("prlimit") else "no prlimit on PATH (util-linux)"
