"""This machine as the place where `up` runs: a server process, perhaps a command beside it."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType

from sturdis.adapters.local import probe
from sturdis.adapters.local.data_folder import DataFolder, Holder
from sturdis.adapters.local.ports import LOOPBACK
from sturdis.core.errors import CommandError, ServerError
from sturdis.core.servers import Server
from sturdis.core.supervision import (
    STOP_SECONDS,
    CommandExited,
    Event,
    Replied,
    ServerExited,
    StopRequested,
)

Emit = Callable[[Event], None]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOG_LINES = 3
"""How many lines of a dead server's log are shown."""

LOG_BYTES = 8192
"""How much of the log's end is looked through for them."""


class LocalHost:
    """Runs one server on a data folder, and at most one command beside it.

    The server is in a session of its own, so that a Ctrl-C reaches this program alone, which then
    lets the server write. The command shares this program's terminal and process group.
    """

    def __init__(self, server: Server, folder: DataFolder, port: int) -> None:
        self._server = server
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._command: subprocess.Popen[bytes] | None = None
        self._settled = threading.Event()

    def start_server(self, emit: Emit) -> None:
        """Start the server; its replies to PING and its exit are emitted.

        Raises:
            ServerError: `server.missing`.
        """
        try:
            self._process = self._spawn()
        except OSError as error:
            raise ServerError(
                "server.missing",
                f"{self._server.path} cannot be started",
                why=error.strerror or str(error),
                do="sturdis up --server PATH",
            ) from error
        address = f"redis://{LOOPBACK}:{self._port}"
        self._folder.hold(Holder(os.getpid(), self._process.pid, address))
        self._watch(self._process, lambda status: emit(ServerExited(status)))
        self._in_background(
            probe.until_pong,
            LOOPBACK,
            self._port,
            self._folder.conf,
            lambda reply: emit(Replied(reply)),
            self._settled,
        )

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self._folder.open_log() as log:
            return subprocess.Popen(
                [self._server.path, str(self._folder.conf)],
                cwd=self._folder.path,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(self._folder.lock,),
            )

    def stop_server(self) -> None:
        """Ask the server to write and end; nothing happens when it has ended already."""
        self._settled.set()
        if self._process is not None:
            self._process.terminate()

    def kill_server(self) -> None:
        """End the server at once; nothing happens when it has ended already."""
        if self._process is not None:
            self._process.kill()

    def run_command(self, argv: Sequence[str], environ: Mapping[str, str], emit: Emit) -> None:
        """Start the user's command with `environ` beside this program's own environment.

        Raises:
            CommandError: `command.not_found`.
        """
        try:
            self._command = subprocess.Popen(argv, env={**os.environ, **environ})
        except OSError as error:
            raise CommandError(
                "command.not_found",
                f"the command {argv[0]} cannot be started",
                why=error.strerror or str(error),
                do="sturdis up -- COMMAND, with a command that this shell would find",
            ) from error
        self._watch(self._command, lambda status: emit(CommandExited(status)))

    def signal_command(self, number: int) -> None:
        """Pass a signal on to the command, unless the terminal has sent it there already."""
        if self._command is None or (number == signal.SIGINT and _in_foreground()):
            return
        self._command.send_signal(number)

    def after(self, seconds: float, emit: Emit, event: Event) -> None:
        """Emit `event` when `seconds` have passed."""
        timer = threading.Timer(seconds, emit, (event,))
        timer.daemon = True
        timer.start()

    @contextlib.contextmanager
    def signals(self, emit: Emit) -> Iterator[None]:
        """Emit `StopRequested` for SIGINT, SIGTERM and SIGHUP while the block runs.

        Outside the main thread, where Python handles no signals, this does nothing.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def request_stop(number: int, _frame: FrameType | None) -> None:
            emit(StopRequested(number))

        under_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        taken = [one for one in STOP_SIGNALS if not (under_nohup and one is signal.SIGHUP)]
        before = {number: signal.signal(number, request_stop) for number in taken}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def log_tail(self) -> str:
        """Give the last lines of the server's log, as it wrote them."""
        with contextlib.suppress(OSError):
            with self._folder.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_BYTES))
                lines = log.read().decode(errors="replace").splitlines()
            return "\n".join([line for line in lines if line.strip()][-LOG_LINES:])
        return ""

    def close(self) -> None:
        """Leave no process behind, whatever happened: ask, wait, then kill."""
        for process in (self._command, self._process):
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._settled.set()

    def _watch(self, process: subprocess.Popen[bytes], ended: Callable[[int], None]) -> None:
        self._in_background(lambda: ended(process.wait()))

    def _in_background(self, target: Callable[..., None], *args: object) -> None:
        threading.Thread(target=target, args=args, daemon=True).start()


@contextlib.contextmanager
def unwinding_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that what it made is removed.

    `ignore_stop_signals` then keeps further ones from ending the removal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in STOP_SIGNALS
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_stop_signals() -> None:
    """Let nothing but SIGKILL end what follows; for a clean-up that is short."""
    if threading.current_thread() is threading.main_thread():
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _in_foreground() -> bool:
    """Tell whether this process group is the one that the terminal's Ctrl-C goes to."""
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
