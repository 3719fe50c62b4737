"""Writes that stay refused after one failed fsync: what is done about it, and what it risks."""

import re
from dataclasses import dataclass
from enum import Enum

from sturdis.core.errors import TargetError

SECONDS = 10.0
"""How long writes are held back at most, where a rewrite takes less than half of it."""

LONGEST_SECONDS = 120.0
"""How long at most, whatever a rewrite takes."""

OF_THE_FILE = re.compile(r"MISCONF .*\bAOF\b")
"""What a server says whose append-only file could not be written (Redis 7.0 to 8.0, Valkey 8.1 to
9.1); with MISCONF begins as well what it says after a snapshot that failed."""


CUT_SHORT = (
    "writes were refused since its start, and are taken again: a write that a full disk cut short "
    "leaves\nzeros in the file, on which no server starts"
)


class State(Enum):
    """Whether a server takes writes."""

    TAKES = "writes are taken"
    MISCONF = "writes are refused with MISCONF"
    OTHER = "writes are refused for another reason"


@dataclass(frozen=True)
class Refusing:
    """A server as it refuses writes."""

    target: str
    state: State
    reply: str
    """To a write that changes nothing."""
    is_on: bool = True
    """Whether its append-only file is on."""
    is_stubborn: bool = False
    """Whether its release forgets a failed fsync only when the file is switched off and on."""
    is_cut_short: bool = False
    """Whether its file may have zeros in it, as a disk that was full leaves them."""


@dataclass(frozen=True)
class Healing:
    """What will be done; shown before it is agreed to."""

    target: str
    seen: str
    agreed: str
    """What to type to do it without being asked."""
    is_refusing: bool = True
    """Whether writes are refused; False: only the file has to be written anew."""

    def __str__(self) -> str:
        """Show it as it is agreed to."""
        rewrite = (
            f"doctor --heal does this for {self.target}:\n"
            "  1. BGREWRITEAOF: all that is in memory is written anew, beside the old file. Where "
            "the disk\n     still fails, which only this shows, the server keeps the old file and "
            "begins another\n     increment, and nothing more is done\n"
        )
        if not self.is_refusing:
            return (
                f"{rewrite}What is seen: {self.seen}\n"
                "Writes are taken all the time. Until then restart nothing."
            )
        return rewrite + (
            "  2. only where writes are still refused then (Redis 7.0): hold back all writes "
            f"(CLIENT PAUSE)\n     for up to {SECONDS:.0f} s or twice as long as step 1 took, "
            "appendonly no, appendonly yes, wait\n     for the rewrite\n"
            f"What is seen: {self.seen}\n"
            "While it is off, a crash comes back to the file of step 1. No write is acknowledged "
            "in between:\nclients wait, and lose nothing."
        )


@dataclass(frozen=True)
class Healed:
    """What came of it."""

    target: str
    steps: tuple[str, ...]
    """Empty: there was nothing to heal."""
    seconds: float


def held_back(rewrite_seconds: float) -> float:
    """Give how long writes are held back at most, from how long a rewrite took. Seconds."""
    return min(max(SECONDS, 2 * rewrite_seconds), LONGEST_SECONDS)


def plan(seen: Refusing, doctor: str) -> Healing | None:
    """Say what is done; None: writes are taken, and nothing hints at a file that is not whole.

    Raises:
        TargetError: `target.not_healed`: writes are refused for another reason than the file's.
    """
    agreed = f"{doctor} --heal --yes"
    if seen.state is State.TAKES:
        return (
            Healing(seen.target, CUT_SHORT, agreed, is_refusing=False)
            if seen.is_cut_short
            else None
        )
    if seen.state is State.OTHER or not seen.is_on:
        why = seen.reply if seen.is_on else f"{seen.reply}; its append-only file is off"
        raise TargetError(
            "target.not_healed",
            f"{seen.target} does not refuse writes for its append-only file's sake",
            why=why,
            do=f"{doctor}    says what is wrong; nothing was changed",
        )
    return Healing(seen.target, seen.reply, agreed)


def is_stubborn(product: str, version: tuple[int, ...]) -> bool:
    """Tell whether a rewrite alone does not end MISCONF on a release.

    Measured: it does on Redis 8.0 and Valkey 8.1 and 9.1, and does not on Redis 7.0; what lies in
    between was not tried, and is taken for the older one.
    """
    return version < ((8, 1) if product == "valkey" else (8, 0))


def still_failing(seen: Refusing, why: str, doctor: str) -> TargetError:
    """Say that the disk still fails, and that what it was is as it was."""
    refused = "writes are taken" if seen.state is State.TAKES else "writes stay refused"
    return TargetError(
        "target.not_healed",
        f"the disk of {seen.target} still fails: its append-only file is not written",
        why=f"{why}; {refused}, its file is on, and its memory is whole",
        do=f"mend the disk: room, and the I/O errors in the server's log; then {doctor} --heal. "
        "Restart nothing: what was acknowledged is in its memory",
    )


def left_off(target: str, why: str, cli: str) -> TargetError:
    """Say that the file is off: the worst that can come of it."""
    return TargetError(
        "target.not_healed",
        f"the append-only file of {target} is off: it could not be switched on again",
        why=f"{why}; what is written from now on is in memory alone",
        do=f"{cli} config set appendonly yes    again and again until it says OK, and restart "
        "nothing before; the file of before is as it was",
    )
