"""Drills, joined with what they break, the load that they make, and where they are kept."""

import random
import shutil
import tempfile
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sturdis.core.drill import asking, drill_changes, verdict
from sturdis.core.drill import outcome as outcomes
from sturdis.core.drill.asking import DrillRequest, Hear, Listed
from sturdis.core.drill.drill_changes import Changes
from sturdis.core.drill.outcome import Outcome
from sturdis.core.drill.run import Run
from sturdis.core.drill.stored import Choices, StoredRun
from sturdis.core.errors import SturdisError
from sturdis.core.report import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sturdis.core.cluster_aim import ClusterRequest
    from sturdis.core.drill.events import Survey
    from sturdis.core.drill.outcome import Ran
    from sturdis.core.drill.scenario import Scenario
    from sturdis.core.drill.stage import Target, Tell
    from sturdis.core.drill.undo import Step

    Keep = Callable[[Outcome, Survey | None], StoredRun]

USUAL_MODULES = ("examples/bullmq", ".")
"""Folders that are looked into for the Node BullMQ where none is named."""

NOT_FOUND_OUT = frozenset({"drill.log_lost", "drill.not_undone", "drill.not_marked"})
"""Errors that end a drill without a verdict: the user has to do something first."""


def list_drills(request: DrillRequest) -> tuple[Listed, ...]:
    """List drills, and whether each can be run on the target. Nothing is changed.

    Raises:
        SturdisError: The target is not there, or not marked for drills; a drill's file is wrong.
    """
    scenarios = _scenarios(request)
    with _target(request) as target:
        return tuple(Listed(one, tuple(target.lacking(one))) for one in scenarios.values())


def run_drills(request: DrillRequest, hear: Hear) -> tuple[StoredRun, ...]:
    """Run drills one after the other; each is kept below the user's state folder.

    One that the target lacks an ability for is unknown, and nothing is touched. Where no drill is
    named, those are left out that this kind of target can never run.

    Raises:
        UsageError: What was asked for cannot be meant.
        DrillError: `drill.running`, `drill.left_behind`, `drill.not_marked`; a drill's file is
            wrong or unknown; a log cannot be written; something could not be undone.
        SturdisError: The target is not there.
    """
    from sturdis.adapters.drill import load_process, run_store

    asking.refuse_senseless(request)
    scenarios = _scenarios(request)
    seed = (
        random.SystemRandom().randrange(asking.MOST_SEED) if request.seed is None else request.seed
    )
    modules = _modules(request.choices)
    load_process.commands(Path(modules) if modules else None)  # refused before anything is touched
    with run_store.alone(), _target(request) as target:
        run_store.refuse_left_behind()
        if not request.drills:
            scenarios = asking.suited(scenarios, target.lacking)
        return tuple(
            _run_kept(request, target, named, Changes(seed, request.rounds, modules), hear)
            for named in scenarios.items()
        )


def drill(
    named: str,
    changes: Changes,
    *,
    target: str = asking.LOCAL,
    server: str | None = None,
    guarded: bool = True,
    configuration: str | None = None,
    folder: Path | None = None,
) -> Outcome:
    """Run one drill and give what it came to; nothing of it is kept.

    Args:
        named: Its name, or the path of its file.
        changes: What differs from its file.
        target: As `--target` is given; what an `up` holds is at stake.
        server: As `--server` is given.
        guarded: As without `--no-guard`.
        configuration: As `--configuration` is given.
        folder: Where its log and its server's data are kept, new or empty; None: nowhere.

    Raises:
        SturdisError: As for `run_drills`.
    """
    from sturdis.adapters.drill import scenario_files

    scenario = scenario_files.find(named)
    choices = Choices(target, server=server, guarded=guarded, configuration=configuration)
    with (
        _target(DrillRequest(choices)) as broken,
        nullcontext(str(folder)) if folder else tempfile.TemporaryDirectory() as place,
    ):
        return run_on(broken, drill_changes.run(scenario, changes, place, uuid4().hex))[0]


def run_on(
    target: "Target", run: Run, tell: "Tell | None" = None
) -> "tuple[Outcome, Survey | None]":
    """Run a drill on a target; give what it came to, and the survey of its jobs.

    Raises:
        DrillError: The log cannot be written, or something could not be undone.
    """
    from sturdis.flows import drill as flow

    if lacking := target.lacking(run.scenario):
        return outcomes.untouched(lacking), None
    ran: Ran | None = None
    try:
        with target.stage(run) as stage:
            ran = flow.run(run, stage, tell or flow.unheard)
    except SturdisError as error:
        if error.code in NOT_FOUND_OUT:
            raise
        if ran is None:
            return outcomes.untouched([_told(error)]), None
        came_to = _concluded(run, ran)  # a failure stays one, and a pass is none any more
        found = verdict.worst_first([*came_to.found, (Verdict.UNKNOWN, _told(error))])
        return replace(came_to, found=tuple(found)), ran.survey
    return _concluded(run, ran), ran.survey


def _concluded(run: Run, ran: "Ran") -> Outcome:
    from sturdis.adapters.drill import ledger_log

    logs = ledger_log.read(Path(run.folder))
    torn = [str(one.path) for one in logs.torn]
    return outcomes.conclude(run, logs.events, torn, ran)


def _told(error: SturdisError) -> str:
    return f"{error.what}: {error.why}"


def _keeping(choices: Choices, typed: str, run: Run, server: str) -> "Keep":
    """Give what writes down what a run that begins now came to."""
    from sturdis.adapters.drill import run_store
    from sturdis.adapters.drill.server import SystemClock
    from sturdis.adapters.local import signals

    began = SystemClock().now()

    def keep(outcome: Outcome, survey: "Survey | None") -> StoredRun:
        stored = drill_changes.stored(
            run,
            outcome,
            typed=typed,
            choices=asking.to_keep(choices),
            server=server,
            began=began,
            ended=SystemClock().now(),
        )
        with signals.deferred():  # whatever comes, it is written down
            run_store.write(Path(run.folder), stored, survey)
        return stored

    return keep


def _run_kept(
    request: DrillRequest,
    target: "Target",
    named: "tuple[str, Scenario]",
    changes: Changes,
    hear: Hear,
) -> StoredRun:
    """Run one drill and keep what it came to; of one that is ended by an error, what ended it."""
    from sturdis.adapters.drill import run_store

    typed, scenario = named
    folder = run_store.new_folder(scenario.name, changes.seed)
    run = drill_changes.run(scenario, changes, str(folder), uuid4().hex)
    keep = _keeping(request.choices, typed, run, target.server)
    hear.begins(typed, run.seed, run.rounds)
    stored, ended = None, "a defect of sturdis ended it"
    try:
        outcome, survey = run_on(target, run, hear.part)
        stored = keep(outcome, survey)
    except KeyboardInterrupt:
        ended = "it was interrupted"
        raise
    except SturdisError as error:
        ended = _told(error)
        raise
    finally:
        if stored is None:
            with suppress(SturdisError):  # what ended the run is what is told
                keep(outcomes.untouched([ended]), None)
    if not request.keep and outcome.verdict is Verdict.PASS:
        run_store.forget_data(folder)
    hear.ended(stored, str(folder))
    return stored


def undo_drills(tell: "Callable[[Step], None]" = lambda _step: None) -> None:
    """Undo what drills left that were killed themselves; `tell` hears each step that was undone.

    What fails keeps nothing else from being undone.

    Raises:
        DrillError: `drill.running`: a drill is running. `drill.not_undone`, `drill.log_damaged` or
            `drill.log_lost`: something is left, once all was tried.
    """
    from sturdis.adapters.drill import run_store, undo_journal

    failed: list[SturdisError] = []
    with run_store.alone():
        for folder in undo_journal.left_behind(run_store.home()):
            try:
                undo_journal.Journal(folder).close(tell)
            except SturdisError as error:
                failed.append(error)
    undo_journal.refuse_failed(failed)


def _scenarios(request: DrillRequest) -> "Mapping[str, Scenario]":
    """Read the drills that are named, else all that come with Sturdis; by what was typed."""
    from sturdis.adapters.drill import scenario_files

    if request.drills:
        return {named: scenario_files.find(named) for named in request.drills}
    return {one.name: one for one in scenario_files.shipped()}


def _modules(choices: Choices) -> str | None:
    """Find the Node BullMQ: where it was said to be, else in the usual places."""
    if choices.modules is not None:
        return choices.modules
    usual = USUAL_MODULES if shutil.which("node") else ()
    return next((one for one in usual if Path(one, "node_modules/bullmq").is_dir()), None)


@contextmanager
def _target(request: DrillRequest) -> "Iterator[Target]":
    """Find what is to be broken, and refuse what is not marked for it."""
    choices = request.choices
    if request.cluster is not None:
        with _in_cluster(request.cluster, request) as target:
            yield target
    elif choices.target == asking.LOCAL:
        yield _local(choices)
    else:
        yield _up(choices)


def _in_cluster(
    cluster: "ClusterRequest", request: DrillRequest
) -> "AbstractContextManager[Target]":
    from sturdis.wiring import cluster_drills

    hooks = request.choices.hooks
    return cluster_drills.target(cluster, request.spec, Path(hooks) if hooks else None)


def _local(choices: Choices) -> "Target":
    from sturdis.adapters.drill.local_target import LocalTarget

    beside = asking.configuration(choices)
    guarded = choices.guarded and (beside is None or beside.guarded)
    return LocalTarget(choices.server, guarded=guarded, settings=beside.settings if beside else {})


def _up(choices: Choices) -> "Target":
    from sturdis.adapters.drill.up_target import UpTarget
    from sturdis.adapters.redis import link
    from sturdis.wiring.targets import resolve

    aim = resolve(None if choices.target == asking.UP else choices.target)
    address = link.admitted(asking.place_of(aim))
    return UpTarget(address, aim.running.at.server if aim.running else "")
