"""An append-only file that is damaged, whether a server runs on it or not; and what lies beside it.

While a server runs, its memory is whole, and a rewrite writes all of it anew: nothing is lost. Once
it has ended only the file is left.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sturdis.core.aof.scan import Scan, Tail
from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.units import human_bytes

MID_WRITE = (Tail.TORN_COMMAND, Tail.OPEN_TRANSACTION)
"""How the last file of a running server may end at any moment."""


@dataclass(frozen=True)
class Problem:
    """Why no server would start on it, in the words of the guard."""

    code: str
    what: str
    why: str


@dataclass(frozen=True)
class Files:
    """What was found in a data folder."""

    folder: str
    is_live: bool
    """Whether a server runs on it."""
    problems: Sequence[Problem] = ()
    torn: str = ""
    """What the next start would cut, in words; empty: nothing. Nothing of a running server's."""
    unread: int = 0
    """Bytes of increments that were not read, for want of time."""
    stale: Sequence[str] = ()
    """Files of rewrites that ended long ago."""
    stale_bytes: int = 0


def is_damage(scan: Scan, *, is_live: bool, is_last: bool) -> bool:
    """Tell whether what follows the last complete unit has to be judged.

    Args:
        scan: What a file was found to be, up to a size that was known before.
        is_live: Whether a server writes to it.
        is_last: Whether it is the file that is written to.
    """
    if scan.tail is Tail.NONE:
        return False
    return not (is_live and is_last and scan.tail in MID_WRITE)


def diagnose(files: Files, cli: str) -> Iterator[Diagnosis]:
    """Tell of damage, of what a start would cut, and of files that nobody needs."""
    for problem in files.problems:
        yield _damaged(files, problem, cli)
    yield from _torn(files)
    yield from _stale(files, cli)


def _damaged(files: Files, problem: Problem, cli: str) -> Diagnosis:
    folder = shlex.quote(files.folder)
    if files.is_live:
        return Diagnosis(
            "aof.damaged", Severity.SERIOUS,
            "urgent: the append-only file is damaged under the running server; do not restart",
            f"{problem.what}; {problem.why} ({problem.code})",
            "The server does not read it while it runs, and its memory is whole. The next start "
            "would be refused, and what follows the damage would be all there is of later writes. "
            "Zeros in the middle are what a full disk leaves, once there is room again.",
            f"{cli} bgrewriteaof at once, before any restart: it writes everything anew from "
            f"memory, and nothing is lost. Ended already: sturdis repair {folder} --dry-run",
        )  # fmt: skip
    return Diagnosis(
        "aof.damaged", Severity.CRITICAL,
        "the append-only file is damaged",
        f"{problem.what}; {problem.why} ({problem.code})",
        "No server starts on it. redis-check-aof --fix would cut everything behind the damage.",
        f"sturdis repair {folder} --dry-run    shows what can be kept and what is lost",
    )  # fmt: skip


def _torn(files: Files) -> Iterator[Diagnosis]:
    if files.torn:
        yield Diagnosis(
            "aof.torn",
            Severity.MINOR,
            "the append-only file ends in the middle of a write",
            files.torn,
            "A kill or a power cut left it so. It was never acknowledged as a whole; the next "
            "start cuts it off and keeps it in cut/.",
            f"sturdis up --data {shlex.quote(files.folder)}    mends it by itself",
        )


def _stale(files: Files, cli: str) -> Iterator[Diagnosis]:
    if files.stale:
        after = f"; `{cli} info persistence` says that none is under way" if files.is_live else ""
        yield Diagnosis(
            "aof.stale",
            Severity.MINOR,
            "rewrites that were broken off left files behind",
            f"{len(files.stale)} files, {human_bytes(files.stale_bytes)}: "
            + ", ".join(files.stale[:3]),
            f"No server removes them, and they take the room of the next rewrite{after}.",
            "the next start removes them; or rm " + shlex.join(files.stale[:3]),
        )
