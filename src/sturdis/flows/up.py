"""`up`: drive a server from its start to its end, one decision of `core.supervision` at a time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Protocol

from sturdis.core import notices
from sturdis.core.errors import PortError, ServerError, SturdisError
from sturdis.core.notices import Notice
from sturdis.core.supervision import machine
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
from sturdis.core.supervision.events import Event
from sturdis.core.supervision.limits import Limits
from sturdis.core.supervision.machine import Reason, State

IN_USE = "Address already in use"
"""What servers log when they cannot listen: strerror(EADDRINUSE)."""

Emit = Callable[[Event], None]


class Host(Protocol):
    """Where the server runs: what carries out the actions and reports the events."""

    def start_server(self, life: int, emit: Emit) -> Iterable[Notice]:
        """Start the server and probe it; give what had to be done to its data before."""

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

    def now(self) -> float:
        """Give the time in seconds from a moment that does not change."""

    def signals(self, emit: Emit) -> AbstractContextManager[None]:
        """Emit the requests to stop that reach this program while the context lasts."""

    def log_tail(self) -> str:
        """Give the last lines of the server's log."""

    def close(self) -> None:
        """Leave no process behind."""


@dataclass(frozen=True)
class Run:
    """What to run: what the server is allowed, and perhaps a command."""

    limits: Limits
    command: Sequence[str] = ()
    environ: Mapping[str, str] | None = None


def run(
    host: Host, wanted: Run, ready: Callable[[], Notice], tell: Callable[[Notice], None]
) -> int:
    """Run a server on `host` until it is told to stop or its command ends.

    Args:
        host: Where it runs.
        wanted: What to run.
        ready: Called once, when the server serves; what it gives is told.
        tell: Called with all that people should know of, as it happens.

    Returns:
        The command's exit status (128 + n for signal n), or 0 without a command.

    Raises:
        ServerError: `server.not_ready` or `server.exited`.
        DataError: The data cannot be started on, at the first start or a later one.
    """
    events: SimpleQueue[Event] = SimpleQueue()
    driver = _Driver(host, wanted, ready, tell, events.put)
    state, actions = machine.begin(wanted.limits, command_wanted=bool(wanted.command))
    try:
        with host.signals(events.put):
            driver.act(actions)
            while not state.over:
                state, actions = machine.step(state, events.get())
                driver.act(actions)
    finally:
        host.close()
    return _outcome(state, host, wanted)


@dataclass
class _Driver:
    """Carries actions out on a host."""

    host: Host
    wanted: Run
    ready: Callable[[], Notice]
    tell: Callable[[Notice], None]
    emit: Emit
    ended_at: float = 0.0
    """When the server last ended by itself, by the host's clock."""

    def act(self, actions: Iterable[Action]) -> None:
        for action in actions:
            self._act(action)

    def _act(self, action: Action) -> None:
        match action:
            case StartServer(life=life):
                for notice in self.host.start_server(life, self.emit):
                    self.tell(notice)
            case Announce():
                self.tell(self.ready())
            case Tell(notice=notice):
                self.tell(self._completed(notice))
            case RunCommand():
                self.host.run_command(self.wanted.command, self.wanted.environ or {}, self.emit)
            case SignalCommand(signal=number):
                self.host.signal_command(number)
            case StopServer():
                self.host.stop_server()
            case KillServer():
                self.host.kill_server()
            case After(seconds=seconds, event=event):
                self.host.after(seconds, self.emit, event)

    def _completed(self, notice: Notice) -> Notice:
        """Add what only the machine knows: the server's last words, and the time without it."""
        match notice:
            case notices.Ended():
                self.ended_at = self.host.now()
                return replace(notice, last_words=self.host.log_tail())
            case notices.ServesAgain():
                return replace(notice, seconds=self.host.now() - self.ended_at)
            case _:
                return notice


def _outcome(state: State, host: Host, wanted: Run) -> int:
    unclean = state.reason is Reason.ASKED and state.server_status != 0
    if unclean or state.reason in (Reason.NOT_READY, Reason.SERVER_EXITED):
        raise _failure(state, wanted, host.log_tail() or "its log is empty")
    return 128 - state.status if state.status < 0 else state.status


def _failure(state: State, wanted: Run, last_words: str) -> SturdisError:
    if state.reason is Reason.NOT_READY:
        return ServerError(
            "server.not_ready",
            f"the server did not answer PONG within {wanted.limits.start:.0f} s",
            why=last_words,
            do="sturdis up with a higher memory.limit in the spec: the budget follows it",
        )
    if state.reason is Reason.SERVER_EXITED and IN_USE in last_words:
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
