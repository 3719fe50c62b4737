"""Many cases at once: sources are written once a server, and cases are judged by a few processes.

Processes and not threads: a server that one thread starts would hold the locks of all the others.
"""

import multiprocessing
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sturdis import wiring
from tests import tiers
from tests.repair import damage, source
from tests.repair.judge import Case, Outcome, judge
from tests.repair.source import SHAPES, Source

AT_ONCE = 4
"""Cases at one time: half of a case's time is waiting for servers, and CI has two cores."""

Sources = Mapping[str, Source]
"""By shape."""


def mend(data: Path, server: str) -> object:
    """Repair as `sturdis repair --yes --server` does."""
    return wiring.repair(data, server=server, agree=lambda _plan: True)


def sources(server: str, seed: int, only: Sequence[str] = damage.FOR_ALL) -> Sources:
    """Let a server write a folder of each shape; without Node its shape is another of Python's."""
    shapes = {shape.name: shape for shape in SHAPES}
    if tiers.missing("node"):
        shapes["node-2"] = shapes["node-2"].of("python")
    with tempfile.TemporaryDirectory(prefix="rep-", dir="/tmp") as folder:
        return {
            name: source.write(server, shapes[name], seed, Path(folder) / name) for name in only
        }


def cases(seed: int, numbers: range, kinds: Sequence[str] = damage.KINDS) -> list[Case]:
    """Give so many cases of every kind."""
    return [Case(seed, kind, number) for number in numbers for kind in kinds]


def again(case: Case, server: str) -> str:
    """Give the command that shows one case alone."""
    return f"python -m tests.repair.case {case} --server {server}"


def outcomes(some: Sources, judged: Sequence[Case]) -> Iterator[Outcome]:
    """Judge cases, each in a folder that is gone afterwards."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(AT_ONCE, spawn, initializer=_take, initargs=(some,)) as pool:
        yield from pool.map(_outcome, judged)


_TAKEN: dict[str, Source] = {}


def _take(some: Sources) -> None:
    _TAKEN.update(some)


def _outcome(case: Case) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="rep-", dir="/tmp") as folder:
        return judge(case, _TAKEN[case.shape], Path(folder), mend)
