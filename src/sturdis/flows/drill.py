"""A drill: steady state, then fault, observation and undo in each round; survey and verdict."""

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sturdis.core.drill.events import Phase, Survey
from sturdis.core.drill.outcome import Ran, Seen
from sturdis.core.drill.phases import Part
from sturdis.core.drill.run import Run
from sturdis.core.drill.stage import Load, Stage, Tell
from sturdis.core.errors import SturdisError
from sturdis.core.report import Verdict

POLL_SECONDS = 0.05
"""How often is looked whether the load has come so far."""

DRAINED_WITHIN = 30.0
"""Longest wait in seconds for the last adds; and, once all have settled, without one job less."""


@dataclass
class _Show:
    """One run as it goes on."""

    run: Run
    on: Stage
    tell: Tell
    loads: Sequence[Load] = ()
    served: int = 0
    """When the target last began to serve again (ms since 1970)."""
    down: float = 0.0
    """How long the last undo took, in seconds."""
    found: list[tuple[Verdict, str]] = field(default_factory=list)


def unheard(part: Part, number: int) -> None:
    """Tell nobody."""
    del part, number


OF_ITSELF = {"drill.lacking": Verdict.UNKNOWN, "drill.cut_too_far": Verdict.FAIL}
"""Errors that say the same whenever they come."""


class _EndedError(Exception):
    """The run cannot go on; why is among what was found."""


def run(wanted: Run, on: Stage, tell: Tell) -> Ran:
    """Run a drill on its stage. Each fault that was injected is undone, whatever happens.

    A target that does not serve again, a steady state that is not reached and a load that fails are
    found, not raised.

    Raises:
        DrillError: The log cannot be written.
    """
    show = _Show(wanted, on, tell)
    survey = None
    try:
        _steady(show)
        for number, under_load in enumerate(_times(wanted), start=1):
            _round(show, number, under_load)
        survey = _finish(show)
    except _EndedError as ended:
        if _interrupted(ended):
            raise KeyboardInterrupt from ended
    return Ran(survey, dict(on.fault.figures()), tuple(show.found))


def _interrupted(error: BaseException | None) -> bool:
    """Tell whether the run was told to end before what was found ended it."""
    if error is None or isinstance(error, KeyboardInterrupt):
        return error is not None
    return _interrupted(error.__context__)


def _times(wanted: Run) -> Iterator[float]:
    """Give the time under load before each fault, in seconds: the seed decides."""
    dice = random.Random(wanted.seed)  # noqa: S311  nothing is kept secret by it
    for _number in range(wanted.rounds):
        yield dice.uniform(*wanted.scenario.under_load)


@contextmanager
def _phase(show: _Show, part: Part, number: int = 0) -> Iterator[None]:
    """Write when a part of the run begins and ends, and tell of it."""
    began = show.on.clock.now()
    show.tell(part, number)
    try:
        yield
    finally:
        show.on.log.append(Phase(began, part, number, show.on.clock.now())).result()


@contextmanager
def _finding(show: _Show, verdict: Verdict, what: str) -> Iterator[None]:
    """Take an error for what was found, and end the run; what a machine lacks is no finding."""
    try:
        yield
    except SturdisError as error:
        if error.code == "drill.log_lost":
            raise
        found = OF_ITSELF.get(error.code, verdict)
        show.found.append((found, f"{what}: {error.what}: {error.why}"))
        raise _EndedError from error


def _steady(show: _Show) -> None:
    steady = show.run.scenario.steady
    with _phase(show, Part.STEADY):
        with _finding(show, Verdict.UNKNOWN, "the fault could not be prepared"):
            show.on.fault.prepare()
        with _finding(show, Verdict.UNKNOWN, "load could not be made"):
            show.loads = show.on.start_loads()
        if not show.loads:
            return
        wanted = Seen(steady.acknowledged, steady.processed)
        if not _reached(show, wanted, steady.within):
            seen = show.on.seen()
            what = (
                f"no steady state within {steady.within:g} s: {seen.acknowledged} of "
                f"{wanted.acknowledged} acknowledged, {seen.processed} of {wanted.processed} done"
            )
            show.found.append((Verdict.UNKNOWN, what))
            raise _EndedError


def _reached(show: _Show, wanted: Seen, seconds: float) -> bool:
    until = show.on.clock.now() + seconds * 1000
    while not show.on.seen().covers(wanted):
        if show.on.clock.now() > until:
            return False
        show.on.clock.wait(POLL_SECONDS)
    return True


def _round(show: _Show, number: int, under_load: float) -> None:
    """Break the target once. What happened is logged as soon as it is known."""
    on, scenario = show.on, show.run.scenario
    with _phase(show, Part.LOAD, number):
        if show.loads:
            on.clock.wait(max(under_load, on.rest * show.down))
    try:
        with (
            _phase(show, Part.FAULT, number),
            _finding(show, Verdict.UNKNOWN, "the fault could not be injected"),
        ):
            on.log.append(*on.fault.inject(number)).result()
        if scenario.observe:
            with _phase(show, Part.OBSERVE, number):
                on.clock.wait(scenario.observe)
    finally:
        _undo(show, number)
    _recover(show, number)


def _undo(show: _Show, number: int) -> None:
    on = show.on
    began = on.clock.now()
    with (
        on.undisturbed(),
        _phase(show, Part.UNDO, number),
        _finding(show, Verdict.FAIL, f"after fault {number}"),
    ):
        on.log.append(*on.fault.undo(number, show.run.scenario.serves_again_within)).result()
    show.served = on.clock.now()
    show.down = (show.served - began) / 1000


def _recover(show: _Show, number: int) -> None:
    """Wait until clients are served again: a fault without load would say little."""
    load, within = show.run.scenario.load, show.run.scenario.serves_again_within
    least = show.run.scenario.steady.again
    if not show.loads or load is None or not load.rate:
        return
    with _phase(show, Part.RECOVERY, number):
        before = show.on.seen()
        if not _reached(show, Seen(before.acknowledged + least, before.processed), within):
            more = show.on.seen().acknowledged - before.acknowledged
            what = (
                f"{more} of {least} adds were acknowledged within {within:g} s after fault "
                f"{number} was undone"
            )
            show.found.append((Verdict.FAIL, what))
            raise _EndedError


def _finish(show: _Show) -> Survey | None:
    """End the load, let all jobs settle, and survey them."""
    if not show.loads:
        return None
    with _finding(show, Verdict.UNKNOWN, "the jobs could not be surveyed"):
        with _phase(show, Part.SETTLE):
            for load in show.loads:
                load.stop_adding()
            for load in show.loads:
                load.wait_until_added(DRAINED_WITHIN)
            _settle(show)
            for load in show.loads:
                load.end()
        with _phase(show, Part.SURVEY):
            return show.on.queues.survey()


def _settle(show: _Show) -> None:
    """Wait until every stalled job is on its way again and every job is done, if it ever is."""
    clock, load = show.on.clock, show.run.scenario.load
    delay = load.longest_delay if load else 0
    settled = max(show.served + show.run.timing().settling, clock.now() + delay)
    while (now := clock.now()) < settled:
        clock.wait((settled - now) / 1000)
    least, until = sys.maxsize, settled
    while left := show.on.queues.pending():
        if left < least:  # what gathered is worked off slowly where the machine has much to do
            least, until = left, clock.now() + round(DRAINED_WITHIN * 1000)
        elif clock.now() > until:
            return
        clock.wait(POLL_SECONDS)
