"""What `up` does next: a pure step from (state, event) to (state, actions).

The server is started, awaited until PING is answered with PONG, served with (perhaps beside one
command), and asked to stop so that it can write. `flows.up` carries the actions out.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

DAY_SECONDS = 86400.0
START_SECONDS = 60.0
"""Least time allowed until the first PONG."""

LOAD_BYTES_PER_SECOND = 50_000_000
"""How fast a server loads an append-only file: 52 to 68 MB/s for BullMQ's; docs/adr/0014."""

STOP_SECONDS = 30.0
"""Time from SIGTERM to SIGKILL: Kubernetes' own grace, above the server's shutdown-timeout."""


def start_budget(maxmemory: int) -> float:
    """Seconds until the first PONG: four times what loading `maxmemory` takes, from 60 to a day."""
    return min(max(START_SECONDS, 4 * maxmemory / LOAD_BYTES_PER_SECOND), DAY_SECONDS)


class Phase(Enum):
    """Where a run of the server stands."""

    STARTING = auto()
    SERVING = auto()
    STOPPING = auto()
    ENDED = auto()


class Reason(Enum):
    """Why a run came to its end."""

    ASKED = "asked to stop"
    COMMAND_ENDED = "the command ended"
    NOT_READY = "no PONG within the start budget"
    SERVER_EXITED = "the server ended by itself"


@dataclass(frozen=True)
class Replied:
    """PING was answered; `text` is the reply as the server wrote it, without the line's end."""

    text: str


@dataclass(frozen=True)
class ServerExited:
    """The server process is gone: its exit status, negative for a signal."""

    status: int


@dataclass(frozen=True)
class CommandExited:
    """The command is gone: its exit status, negative for a signal."""

    status: int


@dataclass(frozen=True)
class StopRequested:
    """A signal asked this program to end."""

    signal: int


@dataclass(frozen=True)
class StartOverdue:
    """The start budget is spent."""


@dataclass(frozen=True)
class StopOverdue:
    """The stop budget is spent."""


Event = Replied | ServerExited | CommandExited | StopRequested | StartOverdue | StopOverdue


@dataclass(frozen=True)
class Announce:
    """Say that the server serves, and how to reach it."""


@dataclass(frozen=True)
class RunCommand:
    """Start the user's command."""


@dataclass(frozen=True)
class SignalCommand:
    """Pass a signal on to the command."""

    signal: int


@dataclass(frozen=True)
class StopCommand:
    """Ask the command to end (SIGTERM), and start the stop budget."""


@dataclass(frozen=True)
class KillCommand:
    """End the command at once (SIGKILL)."""


@dataclass(frozen=True)
class StopServer:
    """Ask the server to write and end (SIGTERM), and start the stop budget."""


@dataclass(frozen=True)
class KillServer:
    """End the server at once (SIGKILL)."""


Action = Announce | RunCommand | SignalCommand | StopCommand | KillCommand | StopServer | KillServer


@dataclass(frozen=True)
class State:
    """A run: its phase, whether a command runs beside the server, and how it will have ended."""

    phase: Phase = Phase.STARTING
    command_wanted: bool = False
    command_running: bool = False
    served: bool = False
    """Whether PING was ever answered with PONG."""
    reason: Reason | None = None
    status: int = 0
    """Of the command when it ended, else of the server; negative for a signal."""
    server_status: int = 0
    """Of the server, however it ended; negative for a signal."""

    @property
    def over(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.phase is Phase.ENDED and not self.command_running


Step = tuple[State, tuple[Action, ...]]


def step(state: State, event: Event) -> Step:  # noqa: PLR0911  one return per kind of event
    """Decide what follows from `event`. Events that change nothing give no action."""
    match event:
        case Replied(text="+PONG") if state.phase is Phase.STARTING:
            return _serve(state)
        case StartOverdue() if state.phase is Phase.STARTING:
            return _stop(state, Reason.NOT_READY)
        case StopRequested(signal=signal):
            return _stop_requested(state, signal)
        case StopOverdue() if state.phase is Phase.STOPPING:
            return state, (KillServer(),)
        case StopOverdue() if state.phase is Phase.ENDED and state.command_running:
            return state, (KillCommand(),)
        case CommandExited(status=status) if state.command_running:
            return _command_exited(state, status)
        case ServerExited(status=status) if state.phase is not Phase.ENDED:
            return _server_exited(state, status)
    return state, ()


def _serve(state: State) -> Step:
    running = state.command_wanted
    serving = replace(state, phase=Phase.SERVING, served=True, command_running=running)
    return serving, (Announce(), RunCommand()) if state.command_wanted else (Announce(),)


def _stop(state: State, reason: Reason, status: int = 0) -> Step:
    return replace(state, phase=Phase.STOPPING, reason=reason, status=status), (StopServer(),)


def _stop_requested(state: State, signal: int) -> Step:
    """Let a command decide for itself; a second request for the server alone does not wait.

    A command that was wanted and never ran counts as ended by the signal.
    """
    if state.command_running:
        return state, (SignalCommand(signal),)
    if state.phase is Phase.STOPPING:
        return state, (KillServer(),)
    if state.phase is Phase.ENDED:
        return state, ()
    return _stop(state, Reason.ASKED, -signal if state.command_wanted else 0)


def _command_exited(state: State, status: int) -> Step:
    ended = replace(state, command_running=False)
    if state.phase is Phase.SERVING:
        return _stop(ended, Reason.COMMAND_ENDED, status)
    return ended, ()


def _server_exited(state: State, status: int) -> Step:
    ended = replace(state, phase=Phase.ENDED, server_status=status)
    if state.phase is Phase.STOPPING:
        return ended, ()
    by_itself = replace(ended, reason=Reason.SERVER_EXITED, status=status)
    return by_itself, (StopCommand(),) if state.command_running else ()
