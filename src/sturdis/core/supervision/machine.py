"""A pure step from (state, event) to (state, actions).

The server is started, awaited until it is ready, and served with, perhaps beside one command. When
it ends by itself it is started again, at once and then after growing waits; when it is silent it is
replaced. Asked to stop, it may write first. A server that never served is not started again: what
keeps it from starting is told instead.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

from sturdis.core import notices
from sturdis.core.supervision import limits, replies
from sturdis.core.supervision.actions import (
    Action,
    After,
    Announce,
    KillServer,
    RunCommand,
    SignalCommand,
    StartServer,
    StopServer,
    Tell,
)
from sturdis.core.supervision.events import (
    CommandExited,
    Event,
    Loaded,
    OfServer,
    Replied,
    RestartDue,
    ServerExited,
    StartOverdue,
    Steady,
    StopOverdue,
    StopRequested,
    Unanswered,
)
from sturdis.core.supervision.limits import Limits


class Phase(Enum):
    """Where a run stands."""

    STARTING = auto()
    SERVING = auto()
    REPLACING = auto()
    """The server is being ended, to be started again."""
    WAITING = auto()
    """There is no server until the wait is over."""
    STOPPING = auto()
    ENDED = auto()


class Reason(Enum):
    """Why a run came to its end."""

    ASKED = "asked to stop"
    COMMAND_ENDED = "the command ended"
    NOT_READY = "not ready within the start budget"
    SERVER_EXITED = "the server ended before it ever served"


@dataclass(frozen=True)
class State:
    """A run: its phase, whether a command runs beside the server, and how it will have ended."""

    limits: Limits
    phase: Phase = Phase.STARTING
    life: int = 1
    """How often the server was started."""
    served: bool = False
    """Whether it was ever ready."""
    reply: str = "+PONG"
    """The last reply to PING that was told of, or that goes without saying."""
    silent: int = 0
    """Probes in a row without a reply."""
    wait: float | None = None
    """Seconds waited before the last start; None once all is well."""
    command_wanted: bool = False
    command_running: bool = False
    reason: Reason | None = None
    status: int = 0
    """Of the command when it ended, else of the server; negative for a signal."""
    server_status: int = 0
    """Of the server at the run's end; negative for a signal."""

    @property
    def over(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.phase is Phase.ENDED


Step = tuple[State, tuple[Action, ...]]


def begin(allowed: Limits, *, command_wanted: bool = False) -> Step:
    """Give the state of a new run and its first actions."""
    return _start(State(allowed, command_wanted=command_wanted), life=1)


def step(state: State, event: Event) -> Step:
    """Decide what follows from `event`. Events that change nothing give no action."""
    match event:
        case _ if state.over:
            return state, ()
        case StopRequested(signal=signal):
            return _stop_requested(state, signal)
        case CommandExited(status=status):
            return _command_exited(state, status)
        case _ if event.life != state.life:
            return state, ()
        case ServerExited(status=status):
            return _server_exited(state, status)
        case _:
            return _of_living_server(state, event)


def _of_living_server(state: State, event: OfServer) -> Step:  # noqa: PLR0911  one per event
    match event, state.phase:
        case Replied(text=text), Phase.STARTING if replies.ready(text):
            return _serve(state, text)
        case Replied(text=text), Phase.STARTING | Phase.SERVING:
            return _told(replace(state, silent=0), text)
        case Loaded(loaded=loaded, total=total), Phase.STARTING:
            return state, (Tell(notices.Loading(loaded, total)),)
        case Unanswered(), Phase.SERVING:
            return _unanswered(state)
        case StartOverdue(), Phase.STARTING if not state.served:
            return _stop(state, Reason.NOT_READY)
        case StartOverdue(), Phase.STARTING:
            return _replace(state, Tell(notices.Overdue(state.limits.start)))
        case StopOverdue(), Phase.STOPPING | Phase.REPLACING:
            return state, (KillServer(),)
        case Steady(), Phase.SERVING:
            return replace(state, wait=None), ()
        case RestartDue(), Phase.WAITING:
            return _start(state, state.life + 1)
    return state, ()


def _start(state: State, life: int) -> Step:
    starting = replace(state, phase=Phase.STARTING, life=life, reply="+PONG", silent=0)
    return starting, (StartServer(life), After(state.limits.start, StartOverdue(life)))


def _serve(state: State, reply: str) -> Step:
    first = not state.served
    command = (RunCommand(),) if first and state.command_wanted else ()
    serving = replace(
        state,
        phase=Phase.SERVING,
        served=True,
        command_running=state.command_running or bool(command),
    )
    said: Action = Announce() if first else Tell(notices.ServesAgain())
    steady = After(limits.steady_after(state.wait), Steady(state.life))
    told, telling = _told(serving, reply)
    return told, (said, *telling, *command, steady)


def _told(state: State, reply: str) -> Step:
    """Tell of a reply that differs from the last, but not that a server loads: its bytes say so."""
    if reply == state.reply or reply.startswith(replies.LOADING):
        return state, ()
    return replace(state, reply=reply), (Tell(notices.Answers(reply)),)


def _unanswered(state: State) -> Step:
    silent = replace(state, silent=state.silent + 1)
    if silent.silent < state.limits.silent_probes:
        return silent, ()
    seconds = state.limits.probe * state.limits.silent_probes
    return _replace(silent, Tell(notices.Silent(seconds)))


def _replace(state: State, told: Tell) -> Step:
    overdue = After(state.limits.stop, StopOverdue(state.life))
    return replace(state, phase=Phase.REPLACING), (told, StopServer(), overdue)


def _stop(state: State, reason: Reason, status: int = 0) -> Step:
    """End the run: at once without a server, else when the server has written and ended."""
    ending = replace(state, phase=Phase.STOPPING, reason=reason, status=status)
    match state.phase:
        case Phase.WAITING:
            return replace(ending, phase=Phase.ENDED), ()
        case Phase.REPLACING:  # it has been asked already
            return ending, ()
        case _:
            return ending, (StopServer(), After(state.limits.stop, StopOverdue(state.life)))


def _stop_requested(state: State, signal: int) -> Step:
    """Let a command decide for itself; a second request for the server alone does not wait.

    A command that was wanted and never ran counts as ended by the signal.
    """
    if state.command_running:
        return state, (SignalCommand(signal),)
    if state.phase is Phase.STOPPING:
        return state, (KillServer(),)
    return _stop(state, Reason.ASKED, -signal if state.command_wanted else 0)


def _command_exited(state: State, status: int) -> Step:
    if not state.command_running:
        return state, ()
    return _stop(replace(state, command_running=False), Reason.COMMAND_ENDED, status)


def _server_exited(state: State, status: int) -> Step:
    if state.phase is Phase.STOPPING:
        return replace(state, phase=Phase.ENDED, server_status=status), ()
    if not state.served:
        ended = replace(state, phase=Phase.ENDED, reason=Reason.SERVER_EXITED)
        return replace(ended, status=status, server_status=status), ()
    if state.phase is Phase.WAITING:
        return state, ()
    wait = limits.next_wait(state.wait)
    told = Tell(notices.Ended(status, wait))
    waiting = replace(state, phase=Phase.WAITING, wait=wait)
    if wait:
        return waiting, (told, After(wait, RestartDue(state.life)))
    started, actions = _start(waiting, state.life + 1)
    return started, (told, *actions)
