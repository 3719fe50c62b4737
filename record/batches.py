"""One batch: a drill is run as a user runs it, and counted."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec

from record import plan
from record.plan import Wanted
from record.results import ROOT
from sturdis import wiring
from sturdis.adapters.drill import scenario_files
from sturdis.adapters.local import binaries
from sturdis.core.drill import configurations, losses, outcome, verdict
from sturdis.core.drill.abilities import Ability
from sturdis.core.drill.drill_changes import Changes
from sturdis.core.drill.losses import Loss
from sturdis.core.drill.outcome import Outcome
from sturdis.core.drill.record_table import Batch, Host
from sturdis.core.drill.scenario import Scenario
from sturdis.core.report import Verdict

TOLD = 3
"""Reasons of a verdict that go on record."""


def server_of(wanted: Wanted) -> str:
    """Name the server that a batch runs on: `redis 7.0.15`."""
    return str(binaries.inspect(wanted.row.server))


def key(wanted: Wanted) -> tuple[object, ...]:
    """Give what a batch on record has as its key."""
    guarded = configurations.BY_NAME[wanted.configuration].guarded
    where = wanted.drill, server_of(wanted), wanted.configuration, guarded
    return *where, wanted.seed, wanted.rounds


def run(wanted: Wanted) -> Batch:
    """Run a batch and count it; the run's folder is kept where it is no pass, for a look.

    Raises:
        SturdisError: The drill could not be run at all.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"sturdis-record-{wanted.drill}-{wanted.seed}-"))
    scenario = scenario_files.find(wanted.drill)
    began = time.monotonic()
    ended = wiring.drill(
        wanted.drill,
        changes_of(wanted, scenario),
        server=wanted.row.server,
        configuration=wanted.configuration,
        folder=folder,
    )
    batch = of(wanted, scenario, ended, time.monotonic() - began)
    if batch.verdict is Verdict.PASS:
        shutil.rmtree(folder)
    elif batch.configuration == "deployment":
        sys.stdout.write(f"kept: {folder}\n")
    return batch


def changes_of(wanted: Wanted, scenario: Scenario) -> Changes:
    """Give what the record has otherwise than the drill's file."""
    modules = str(ROOT / "examples/bullmq")
    if not wanted.hurried or scenario.load is None:
        return Changes(wanted.seed, wanted.rounds, modules)
    # A round that met nothing fails a drill of three; of a thousand it is left out of the count.
    figures = {name: one for name, one in scenario.expect.figures.items() if name != "unmet"}
    expect = msgspec.structs.replace(scenario.expect, figures=figures)
    hurried = {"under_load": plan.UNDER_LOAD, "expect": expect}
    load = {"rate": plan.RATES[wanted.drill]}
    return Changes(wanted.seed, wanted.rounds, modules, load, hurried)


def is_a_trial(wanted: Wanted, batch: Batch) -> bool:
    """Tell whether a batch of the record tried anything: its load may not have got ready.

    It is run again the next time.
    """
    return not wanted.hurried or batch.verdict is not Verdict.UNKNOWN or batch.acknowledged > 0


def local() -> list[Scenario]:
    """Give the drills that a machine of one's own can run."""
    in_cluster = {Ability.DELETE_POD, Ability.NODE}
    return [one for one in scenario_files.shipped() if not in_cluster & {*one.needs}]


def line(batch: Batch) -> str:
    """Say what a batch came to, as it ends."""
    what = f"{batch.drill} on {batch.server}, {batch.configuration}, seed {batch.seed}"
    cost = f"{batch.acknowledged} acknowledged, {batch.lost} LOST, {batch.excused} excused"
    why = "".join(f"; {reason}" for reason in batch.reasons)
    took = f"{batch.rounds} rounds in {batch.seconds:.0f} s"
    return f"{batch.verdict.value:<8}{what}: {cost}; {took}{why}"


def of(wanted: Wanted, scenario: Scenario, ended: Outcome, seconds: float) -> Batch:
    """Count a run."""
    account, timing = ended.account, ended.timing
    lost: list[Loss] = []
    excused: list[Loss] = []
    for loss in losses.losses(account) if account else ():
        judged, _why = verdict.judge_loss(loss, timing)
        is_excused = judged is Verdict.PASS and outcome.may_be_lost(loss, scenario.expect.lost)
        (excused if is_excused else lost).append(loss)
    every = [*lost, *excused]
    configuration = configurations.BY_NAME[wanted.configuration]
    return Batch(
        drill=wanted.drill,
        server=server_of(wanted),
        seed=wanted.seed,
        rounds=wanted.rounds,
        verdict=ended.verdict,
        acknowledged=len(account.entries) if account else 0,
        lost=len(lost),
        rounds_lost=len(rounds_of(lost)),
        excused=len(excused),
        rounds_excused=len(rounds_of(excused)),
        configuration=configuration.name,
        guarded=configuration.guarded,
        oldest=max((one.age for one in every), default=None),
        duplicates={cause.value: n for cause, n in account.duplicates.items()} if account else {},
        figures={name: ended.figures[name] for name in sorted(ended.figures)},
        reasons=ended.reasons[:TOLD] if ended.verdict is not Verdict.PASS else (),
        seconds=round(seconds, 1),
        commit=commit(),
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        host=host(),
    )


def rounds_of(losses: Sequence[Loss]) -> set[int]:
    """Give the rounds that cost jobs; 0 stands for those that no fault came after."""
    faults = (one.destroyed or one.kill for one in losses)
    return {fault.round if fault else 0 for fault in faults}


def host() -> Host:
    """Describe this machine, and how busy it is."""
    load = round(os.getloadavg()[0], 1)
    return Host(os.cpu_count() or 1, platform.machine(), platform.release(), load)


@cache
def commit() -> str:
    """Name the commit that is checked out; `+` where files differ from it."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--abbrev=10"]
    try:
        told = subprocess.run(git, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return told.stdout.strip()
