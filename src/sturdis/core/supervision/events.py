"""What happens to a run of `up`.

The server is started more than once; `life` counts its starts from 1. What is said of an earlier
life than the present one means nothing any more.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Replied:
    """PING was answered; `text` is the reply as the server wrote it, without the line's end."""

    life: int
    text: str


@dataclass(frozen=True)
class Unanswered:
    """A probe got no reply in time."""

    life: int


@dataclass(frozen=True)
class Loaded:
    """So much of its data the server has read, in bytes."""

    life: int
    loaded: int
    total: int


@dataclass(frozen=True)
class ServerExited:
    """The server process is gone: its exit status, negative for a signal."""

    life: int
    status: int


@dataclass(frozen=True)
class StartOverdue:
    """The start budget is spent."""

    life: int


@dataclass(frozen=True)
class StopOverdue:
    """The stop budget is spent."""

    life: int


@dataclass(frozen=True)
class Steady:
    """The server has served for long enough to forget that it failed."""

    life: int


@dataclass(frozen=True)
class RestartDue:
    """The wait after the end of `life` is over."""

    life: int


@dataclass(frozen=True)
class CommandExited:
    """The command is gone: its exit status, negative for a signal."""

    status: int


@dataclass(frozen=True)
class StopRequested:
    """A signal asked this program to end."""

    signal: int


OfServer = (
    Replied | Unanswered | Loaded | ServerExited | StartOverdue | StopOverdue | Steady | RestartDue
)
"""What is said of one life of the server."""

Event = OfServer | CommandExited | StopRequested
