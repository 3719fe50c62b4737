"""What a run of `up` does; `flows.up` carries it out."""

from dataclasses import dataclass

from sturdis.core.notices import Notice
from sturdis.core.supervision.events import Event


@dataclass(frozen=True)
class StartServer:
    """Start the server, for the `life`th time, and probe it."""

    life: int


@dataclass(frozen=True)
class StopServer:
    """Ask the server to write and end (SIGTERM)."""


@dataclass(frozen=True)
class KillServer:
    """End the server at once (SIGKILL)."""


@dataclass(frozen=True)
class Announce:
    """Say that the server serves, and how to reach it."""


@dataclass(frozen=True)
class Tell:
    """Say what happened."""

    notice: Notice


@dataclass(frozen=True)
class RunCommand:
    """Start the user's command."""


@dataclass(frozen=True)
class SignalCommand:
    """Pass a signal on to the command."""

    signal: int


@dataclass(frozen=True)
class After:
    """Let `event` happen when `seconds` have passed."""

    seconds: float
    event: Event


Action = (
    StartServer | StopServer | KillServer | Announce | Tell | RunCommand | SignalCommand | After
)
