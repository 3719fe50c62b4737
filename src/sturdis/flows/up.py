"""`up`: drive a server from its start to its end, one decision of `core.supervision` at a time."""

import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from sturdis.core import supervision
from sturdis.core.errors import PortError, ServerError, SturdisError
from sturdis.core.supervision import (
    Action,
    Announce,
    Event,
    KillCommand,
    KillServer,
    Reason,
    RunCommand,
    SignalCommand,
    StartOverdue,
    State,
    StopCommand,
    StopOverdue,
    StopServer,
)

IN_USE = "Address already in use"
"""What servers log when they cannot listen: strerror(EADDRINUSE)."""

Emit = Callable[[Event], None]


class Host(Protocol):
    """Where the server runs: what carries out the actions and reports the events."""

    def start_server(self, emit: Emit) -> None:
        """Start the server; its replies to PING and its exit are emitted."""

    def stop_server(self) -> None:
        """Ask the server to write and end."""

    def kill_server(self) -> None:
        """End the server at once."""

    def run_command(self, argv: Sequence[str], environ: Mapping[str, str], emit: Emit) -> None:
        """Start the user's command; its exit is emitted."""

    def signal_command(self, number: int) -> None:
        """Pass a signal on to the command."""

    def after(self, seconds: float, emit: Emit, event: Event) -> None:
        """Emit `event` when `seconds` have passed."""

    def signals(self, emit: Emit) -> AbstractContextManager[None]:
        """Emit the requests to stop that reach this program while the context lasts."""

    def log_tail(self) -> str:
        """Give the last lines of the server's log."""

    def close(self) -> None:
        """Leave no process behind."""


@dataclass(frozen=True)
class Run:
    """What to run: the time allowed until the first PONG (seconds), and perhaps a command."""

    start_budget: float
    command: Sequence[str] = ()
    environ: Mapping[str, str] | None = None


def run(host: Host, wanted: Run, announce: Callable[[], None]) -> int:
    """Run a server on `host` until it is told to stop or its command ends.

    Args:
        host: Where it runs.
        wanted: What to run.
        announce: Called once, when the server serves.

    Returns:
        The command's exit status (128 + n for signal n), or 0 without a command.

    Raises:
        ServerError: `server.not_ready` or `server.exited`.
    """
    events: SimpleQueue[Event] = SimpleQueue()
    state = State(command_wanted=bool(wanted.command))
    try:
        with host.signals(events.put):
            host.start_server(events.put)
            host.after(wanted.start_budget, events.put, StartOverdue())
            while not state.over:
                state, actions = supervision.step(state, events.get())
                for action in actions:
                    _act(action, host, wanted, announce, events.put)
    finally:
        host.close()
    return _outcome(state, host, wanted)


def _act(action: Action, host: Host, wanted: Run, announce: Callable[[], None], emit: Emit) -> None:
    match action:
        case Announce():
            announce()
        case RunCommand():
            host.run_command(wanted.command, wanted.environ or {}, emit)
        case SignalCommand(signal=number):
            host.signal_command(number)
        case StopCommand():
            host.signal_command(signal.SIGTERM)
            host.after(supervision.STOP_SECONDS, emit, StopOverdue())
        case KillCommand():
            host.signal_command(signal.SIGKILL)
        case StopServer():
            host.stop_server()
            host.after(supervision.STOP_SECONDS, emit, StopOverdue())
        case KillServer():
            host.kill_server()


def _outcome(state: State, host: Host, wanted: Run) -> int:
    unclean = state.reason is Reason.ASKED and state.server_status != 0
    if unclean or state.reason in (Reason.NOT_READY, Reason.SERVER_EXITED):
        raise _failure(state, wanted, host.log_tail() or "its log is empty")
    return 128 - state.status if state.status < 0 else state.status


def _failure(state: State, wanted: Run, last_words: str) -> SturdisError:
    if state.reason is Reason.NOT_READY:
        return ServerError(
            "server.not_ready",
            f"the server did not answer PONG within {wanted.start_budget:.0f} s",
            why=last_words,
            do="sturdis up with a higher memory.limit in the spec: the budget follows it",
        )
    if state.reason is Reason.SERVER_EXITED and not state.served and IN_USE in last_words:
        return PortError(
            "port.lost",
            "another program took the server's port",
            why=last_words,
            do="sturdis up again, or choose another port with --port",
        )
    code = state.server_status
    asked = " when it was asked to stop" if state.reason is Reason.ASKED else ""
    return ServerError(
        "server.exited",
        f"the server ended {f'by signal {-code}' if code < 0 else f'with status {code}'}{asked}",
        why=last_words,
        do="mend what its last lines name, then sturdis up",
    )
