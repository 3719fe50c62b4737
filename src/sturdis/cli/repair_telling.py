"""What `sturdis repair` tells: the plan, and what came of it, as text and as JSON."""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from sturdis.cli.output import paint
from sturdis.core import units
from sturdis.core.repair.plan import Base, FilePlan, Plan, Repaired

SHOWN = 20
"""So many commands or jobs are shown to people; JSON has all."""


def text(repaired: Repaired, *, dry_run: bool) -> str:
    """Tell people what came of it; on a dry run, the plan."""
    plan = repaired.plan
    if not plan.is_needed:
        done = "an earlier repair was cut short behind its last change; it is finished now"
        head = done if repaired.finished else f"nothing to repair in {plan.folder}"
        return f"{head}: {plan.server} loads it, {_jobs_in_all(plan)}"
    if dry_run or not repaired.done:
        return plan_text(plan)
    return "\n".join((
        f"repaired {plan.folder}",
        f"copy     {plan.keep}    (as it was; remove it when all is well)",
        f"next     sturdis up --data {shlex.quote(plan.folder)}",
    ))  # fmt: skip


def _jobs_in_all(plan: Plan) -> str:
    jobs = sum(sum(states.values()) for states in plan.after.values())
    return f"{sum(plan.keys_after.values())} keys and {jobs} jobs"


def plan_text(plan: Plan) -> str:
    """Give the plan as people read it."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    yield f"sturdis repair of {plan.folder}, proven with {plan.server}:"
    if plan.manifest:
        yield _line("manifest", f"{plan.manifest}; it is written anew from the files")
    if plan.base is Base.LOST:
        yield _line("base", "lost: all that is older than the increments is gone")
    elif plan.base is Base.DAMAGED:
        yield _line("base", "damaged and left out: all that is older than the increments is gone")
    for file in plan.files:
        yield from _file_lines(file)
    yield from _meaning_lines(plan)
    yield from _job_lines(plan)
    yield _line("copy", f"{plan.folder} whole, to {plan.keep}, before anything is changed")


def _file_lines(file: FilePlan) -> Iterator[str]:
    if not file.gaps and not file.units:
        return
    yield _line("file", f"{file.name} → {file.becomes}: {units.human_bytes(file.kept)} stay")
    for gap in file.gaps[:SHOWN]:
        yield _more(f"cut {gap.size} bytes at byte {gap.start}: {gap.kind.value}")
    if len(file.gaps) > SHOWN:
        yield _more(f"and {len(file.gaps) - SHOWN} more such places")
    if file.units:
        yield _more(f"{file.units} complete units behind the damage are kept")


def _meaning_lines(plan: Plan) -> Iterator[str]:
    yield from _listed("sign", plan.signs)
    if plan.duplicates:
        yield _line("twice", f"{plan.duplicates} units stood there twice; one of each stays")
    if plan.explicit:
        yield _line("written", f"{plan.explicit} commands that took what stood first in a list, as")
        yield _more("what they did with the job that their unit names")
    for note in plan.notes[:SHOWN]:
        yield _line("left out", f"{note.file} byte {note.offset}: {note.command}")
        yield _more(note.why)
    if left := len(plan.notes[SHOWN:]) + plan.unnoted:
        yield _line("left out", f"and {left} more commands")
    yield from _listed("undecided", plan.undecided)
    for one in plan.resolutions[:SHOWN]:
        yield _line("append", str(one))
        yield _more(one.why)
    if left := len(plan.resolutions[SHOWN:]):
        yield _line("append", f"and {left} more commands; --json shows all")


def _listed(label: str, told: Sequence[str]) -> Iterator[str]:
    counted = Counter(told)
    for one, times in islice(counted.items(), SHOWN):
        yield _line(label, one if times == 1 else f"{one} ({times} times)")
    if (left := len(counted) - SHOWN) > 0:
        yield _line(label, f"and {left} more")


def _job_lines(plan: Plan) -> Iterator[str]:
    before, after = sum(plan.keys_before.values()), sum(plan.keys_after.values())
    yield _line("keys", f"{before} after a plain cut, {after} repaired")
    for queue in sorted({*plan.before, *plan.after}):
        old, new = plan.before.get(queue, {}), plan.after.get(queue, {})
        yield _line("jobs", f"{queue}: {sum(old.values())} after a plain cut, {sum(new.values())}"
                    " repaired")  # fmt: skip
        for state in sorted({*old, *new}):
            yield _more(f"{state:<18}{old.get(state, 0):>8}{new.get(state, 0):>8}")
    yield _line("unseen", "a bit that flipped inside a value, as increments have no checksum")


def _line(label: str, said: str) -> str:
    return f"  {paint(f'{label:<11}', 'yellow')}{said}"


def _more(said: str) -> str:
    return f"{'':13}{said}"


def values(repaired: Repaired) -> dict[str, object]:
    """Give the facts for JSON."""
    plan = repaired.plan
    return {
        "folder": plan.folder,
        "needed": plan.is_needed,
        "done": repaired.done,
        "finished": repaired.finished,
        "server": plan.server,
        "copy": plan.keep,
        "manifest": plan.manifest,
        "base": plan.base.name.lower().replace("_", "-"),
        "files": [_file_values(one) for one in plan.files],
        "appended": [
            {"db": one.db, "command": str(one), "why": one.why} for one in plan.resolutions
        ],
        "written_as_done": plan.explicit,
        "duplicates": plan.duplicates,
        "left_out": [
            {"file": one.file, "offset": one.offset, "command": one.command, "why": one.why}
            for one in plan.notes
        ],
        "left_out_beyond": plan.unnoted,
        "undecided": list(plan.undecided),
        "signs": list(plan.signs),
        "refused": list(plan.refused),
        "jobs": {"plain_cut": plan.before, "repaired": plan.after},
        "keys": {"plain_cut": plan.keys_before, "repaired": plan.keys_after},
    }


def _file_values(file: FilePlan) -> dict[str, object]:
    return {
        "name": file.name,
        "becomes": file.becomes,
        "kept": file.kept,
        "units_behind": file.units,
        "added": file.added,
        "gaps": [
            {"start": one.start, "end": one.end, "kind": one.kind.name.lower(), "fault": one.fault}
            for one in file.gaps
        ],
    }
