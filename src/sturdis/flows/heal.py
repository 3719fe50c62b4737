"""`doctor --heal`: let a server take writes again that one failed fsync left refusing them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sturdis.core.doctor import healing
from sturdis.core.doctor.healing import Healed, Healing, Refusing, State


class Sick(Protocol):
    """A server that may refuse writes."""

    def refusing(self) -> Refusing:
        """Tell whether it takes writes, by one that changes nothing."""

    def still_fails(self) -> str:
        """Wait until it tries a write again that failed; give why that fails still, or nothing.

        Nothing is done for it. A failed fsync is not tried again, and tells nothing.
        """

    def rewrite(self) -> str:
        """Let it write its file anew, and wait; give why it failed, or nothing."""

    def lasts(self) -> bool:
        """Write a key, remove it, and tell whether writes are still taken after the next fsync."""

    def toggle(self, seconds: float) -> str:
        """Switch its file off and on while writes are held back; give why it is not on in time."""


@dataclass(frozen=True)
class Telling:
    """Whom to ask, and whom to tell; and what to type next."""

    agree: Callable[[Healing], None]
    """Called with the plan before anything is changed; what it raises ends it there."""
    done: Callable[[str], None]
    now: Callable[[], float]
    """A clock, in seconds."""
    cli: str
    doctor: str


def heal(sick: Sick, telling: Telling) -> Healed:
    """Heal a server of MISCONF, or of a file that a full disk may have left with zeros in it.

    One that takes writes and never refused any is left alone.

    Raises:
        TargetError: `target.not_healed`: the disk still fails, or something else refuses writes;
            or it cannot be reached.
        AccessError: It does not let us in.
        UsageError: `usage.not_agreed`, by who was asked.
    """
    seen = sick.refusing()
    plan = healing.plan(seen, telling.doctor)
    if plan is None:
        return Healed(seen.target, (), 0.0)
    if why := sick.still_fails():
        raise healing.still_failing(seen, f"nothing was changed; {why}", telling.doctor)
    telling.agree(plan)
    start, steps = telling.now(), []

    def did(step: str) -> None:
        steps.append(step)
        telling.done(step)

    if why := sick.rewrite():
        raise healing.still_failing(seen, why, telling.doctor)
    did("wrote the append-only file anew")
    after = sick.refusing()
    if after.state is not State.TAKES and seen.is_stubborn:
        if why := sick.toggle(healing.held_back(telling.now() - start)):
            raise healing.left_off(seen.target, why, telling.cli)
        did("switched it off and on again, with writes held back")
        after = sick.refusing()
    if after.state is not State.TAKES or not sick.lasts():
        raise healing.still_failing(seen, sick.refusing().reply, telling.doctor)
    return Healed(seen.target, tuple(steps), telling.now() - start)
