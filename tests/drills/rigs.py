"""Rigs for tests: servers of a drill's own, each in a folder with a journal."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from sturdis.adapters.drill.ledger_log import LedgerLog
from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.faults import local
from sturdis.adapters.faults.on_rig import OnRig
from sturdis.core.drill import rig_plan
from sturdis.core.drill.faults import Fault
from sturdis.core.drill.rig_plan import RigPlan


@contextlib.contextmanager
def rigged(folder: Path, plan: RigPlan) -> Iterator[Rig]:
    """Give a rig that serves, and whose journal has nothing left at the end."""
    with Journal(folder) as journal, Rig(plan, folder / "rig", journal) as rig:
        rig.start()
        yield rig


@contextlib.contextmanager
def faulty(
    folder: Path,
    options: Fault,
    server: str,
    *,
    seed: int = 1,
    guarded: bool = True,
    settings: Mapping[str, str] | None = None,
) -> Iterator[OnRig]:
    """Give a fault that is prepared, of a rig that serves."""
    plan = rig_plan.of(options, server=server, guarded=guarded, settings=settings)
    with (
        Journal(folder) as journal,
        LedgerLog(folder, "drill") as log,
        Rig(plan, folder / "rig", journal) as rig,
    ):
        rig.start()
        fault = local.fault(options, rig, journal, Random(seed), log)  # noqa: S311  not secret
        with contextlib.closing(fault):
            fault.prepare()
            yield fault


def figure(fault: OnRig, name: str) -> float:
    """Give a figure that was seen."""
    seen = fault.figures()[name]
    assert seen is not None, name
    return seen
