"""One case: a folder damaged, what `--fix` keeps of it, what `repair` keeps, and which rule breaks.

Kept is an acknowledged job of the folder as it was: its hash is there once, with the data that it
had, and its id stands in exactly one place. docs/adr/0054 says why not more and not less.
"""

import dataclasses
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sturdis.core.aof.guard import FOLDER
from sturdis.core.errors import SturdisError
from tests.repair import damage, fixing, serving
from tests.repair.damage import PAGE, Damaged
from tests.repair.serving import Held, Refused
from tests.repair.source import Source
from tests.repair.units import units

UNSEEN = ("no more", "strays")
"""What is not to be had where whole units are missing, and with them the database of the next."""

Mend = Callable[[Path, str], object]
"""Repairs a data folder for the server at a path."""


@dataclass(frozen=True)
class Case:
    """A damage by its kind and number, drawn from a seed."""

    seed: int
    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.seed}:{self.kind}:{self.number}"

    @property
    def shape(self) -> str:
        """The shape of the folder that it is done to."""
        fitting = damage.shapes(self.kind)
        return fitting[self.number % len(fitting)]

    def damaged(self, source: Source) -> Damaged:
        """Damage the folder."""
        return damage.damage(source, self.kind, random.Random(str(self)))  # noqa: S311  not secret


@dataclass(frozen=True)
class Outcome:
    """What one case came to. Jobs are UUIDs."""

    case: Case
    acknowledged: int
    by_fix: frozenset[str]
    by_repair: frozenset[str]
    following: frozenset[str]
    """Jobs of which every unit stands behind the damage, in the file as it was."""
    refused: str = ""
    """The code of the error that `repair` ended with."""
    broken: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    """Rules that are broken where no byte shows it: docs/adr/0054."""

    @property
    def more_is_due(self) -> bool:
        """Whether `--fix` threw away jobs that stand whole behind the damage."""
        return not self.following <= self.by_fix


def judge(case: Case, source: Source, folder: Path, mend: Mend) -> Outcome:
    """Damage, fix and repair below `folder`, which is left with what came of it."""
    damaged = case.damaged(source)
    data = {name: folder / name for name in ("fixed", "repaired")}
    for path in data.values():
        _write(damaged.files, path)
    by_fix = _fixed(source, damaged, data["fixed"])
    following = frozenset(_following(source, damaged))
    refused, held = "", None
    broken: list[str] = []
    try:
        mend(data["repaired"], source.server)
    except SturdisError as error:
        refused = error.code
    else:
        held, broken = _lived(source, data["repaired"])
    by_repair = frozenset(kept(source, held))
    outcome = Outcome(case, len(source.held.jobs), by_fix, by_repair, following, refused)
    rules = (*_short(outcome), *broken)
    unseen = UNSEEN if case.kind == "skipped" and _lacks_a_database(source, damaged) else ()
    limits = tuple(rule for rule in rules if rule.startswith(unseen))
    left = tuple(rule for rule in rules if rule not in limits)
    return dataclasses.replace(outcome, broken=left, limits=limits)


def _lacks_a_database(source: Source, damaged: Damaged) -> bool:
    """Tell whether a SELECT is among what is missing: what follows is for another database."""
    return any(b"SELECT" in source.files[one.file][one.start : one.end] for one in damaged.marks)


def kept(source: Source, held: Held | None) -> Iterator[str]:
    """Give the acknowledged jobs that are there as they should be; None: nothing was loaded."""
    if held is None:
        return
    found = held.by_uuid
    for job in source.held.jobs.values():
        now = found.get(job.uuid, ())
        if len(now) == 1 and now[0].payload == job.payload and len(now[0].states) == 1:
            yield job.uuid


def _short(outcome: Outcome) -> Iterator[str]:
    fixed, repaired = len(outcome.by_fix), len(outcome.by_repair)
    if repaired < fixed:
        yield f"fewer: {repaired} jobs, and --fix keeps {fixed}"
    elif outcome.more_is_due and repaired == fixed:
        yield f"no more: {repaired} jobs as --fix, and {len(outcome.following)} follow the damage"


def _write(files: Mapping[str, bytes], data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    (data / FOLDER).mkdir(parents=True)
    for name, content in files.items():
        (data / FOLDER / name).write_bytes(content)


def _fixed(source: Source, damaged: Damaged, data: Path) -> frozenset[str]:
    for name in sorted({mark.file for mark in damaged.marks if mark.file in damaged.files}):
        fixing.fix(source.server, data / FOLDER / name)
    with serving.serving(source.server, data) as life:
        return frozenset(kept(source, None if isinstance(life, Refused) else life.held()))


def _lived(source: Source, data: Path) -> tuple[Held | None, list[str]]:
    """Load what was repaired, add to it, and load it again; give what was held at first."""
    with serving.serving(source.server, data) as life:
        if isinstance(life, Refused):
            return None, [f"does not load: {life}"]
        held = life.held()
        added = life.add()
    broken = [*_wrong_places(held), *_old_ids(held, added)]
    with serving.serving(source.server, data) as life:
        again = None if isinstance(life, Refused) else life.held()
    if again is None or {**held.jobs, **again.jobs} != again.jobs:
        broken.append("does not load a second time with all that it held")
    elif any((queue, job_id) not in again.jobs for queue, job_id in added.items()):
        broken.append("a job that was added after is gone")
    return held, broken


def _wrong_places(held: Held) -> Iterator[str]:
    for (queue, job_id), job in held.jobs.items():
        if len(job.states) > 1:
            yield f"two states: {queue}:{job_id} is in {' and '.join(job.states)}"
    for uuid, jobs in held.by_uuid.items():
        if uuid and len(jobs) > 1:
            yield f"two states: {uuid} is the job of {len(jobs)} ids"
    for queue, job_id, state in held.ghosts:
        yield f"ghost: {queue}:{job_id} is in {state} and has no hash"
    if held.strays:
        yield f"strays: {held.strays} keys are in another database"


def _old_ids(held: Held, added: Mapping[str, str]) -> Iterator[str]:
    for queue, job_id in added.items():
        if not job_id.isdecimal() or int(job_id) <= held.highest(queue):
            yield f"id: {queue} gave {job_id} again, {held.highest(queue)} is there"


def _following(source: Source, damaged: Damaged) -> Iterator[str]:
    """Find the jobs whose first unit, and so every one, stands behind all damage."""
    last: dict[str, int] = {}
    slack = PAGE if len(damaged.marks) > 1 else 0  # two may have moved each other
    for mark in damaged.marks:
        last[mark.file] = max(last.get(mark.file, 0), mark.end + slack)
    files = source.increments
    hurt = [number for number, name in enumerate(files) if name in last]
    for number, name in enumerate(files[hurt[-1] if hurt else 0 :], hurt[-1] if hurt else 0):
        yield from _added_behind(source, source.files[name], last.get(name, 0), files[:number])


def _added_behind(source: Source, whole: bytes, at: int, before: list[str]) -> Iterator[str]:
    earlier = [source.files[name] for name in before]
    starts = [unit.start for unit in units(whole) if unit.start >= at]
    if not starts:
        return
    for job in source.held.jobs.values():
        first = whole.find(job.uuid.encode())
        is_new = not any(job.uuid.encode() in one for one in earlier)
        if first > starts[0] and is_new:
            yield job.uuid
