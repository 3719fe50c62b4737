"""Which fault of a rig does what a drill's file asks for."""

from random import Random
from typing import TYPE_CHECKING

from sturdis.adapters.drill.ledger_log import LedgerLog
from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.faults import (
    bit_flip,
    clock,
    disk,
    files,
    memory,
    network,
    power,
    process,
    torn_multi,
    version,
)
from sturdis.adapters.faults.on_rig import OnRig, Parts
from sturdis.core.drill.faults import Fault
from sturdis.core.errors import DrillError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FAMILIES: "Sequence[Callable[[Fault, Parts], OnRig | None]]" = (
    process.of,
    power.of,
    disk.of,
    clock.of,
    files.of,
    bit_flip.of,
    torn_multi.of,
    memory.of,
    network.of,
    version.of,
)
"""Each makes the faults of its family."""


def fault(options: Fault, rig: Rig, journal: Journal, dice: Random, log: LedgerLog) -> OnRig:
    """Give the fault that the options of a drill's file ask for.

    Raises:
        DrillError: `drill.lacking`: a rig cannot be broken in this way.
    """
    parts = Parts(rig, journal, dice, log)
    for made in (family(options, parts) for family in FAMILIES):
        if made is not None:
            return made
    raise DrillError(
        "drill.lacking",
        f"a server of this machine cannot be broken by {type(options).__name__}",
        why="it is a fault of another kind of target",
        do="sturdis drill list tells what each drill needs",
    )
