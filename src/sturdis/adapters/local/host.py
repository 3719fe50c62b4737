"""This machine as the place where `up` runs: a server process, perhaps a command beside it."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from sturdis.adapters.local import guard, probe, server_process, signals
from sturdis.adapters.local.data_folder import DataFolder, Holder
from sturdis.adapters.local.server_process import Adopted, ServerProcess
from sturdis.core.errors import CommandError, ServerError
from sturdis.core.notices import Notice
from sturdis.core.servers import Server
from sturdis.core.supervision.events import CommandExited, Event, ServerExited
from sturdis.core.supervision.limits import PROBE_SECONDS, STOP_SECONDS

Emit = Callable[[Event], None]

LOG_LINES = 3
"""How many lines of a dead server's log are shown."""

LOG_BYTES = 8192
"""How much of the log's end is looked through for them."""


class LocalHost:
    """Runs one server on a data folder, and at most one command beside it.

    The server is in a session of its own, so that a Ctrl-C reaches this program alone, which then
    lets the server write. The command shares this program's terminal and process group.

    Args:
        server: What to run.
        folder: What to run it on. A server that runs on it already is adopted at the first start.
        place: Where the server answers.
        every: Seconds from one probe to the next, and the longest wait for its reply.
    """

    def __init__(
        self,
        server: Server,
        folder: DataFolder,
        place: probe.Place,
        *,
        every: float = PROBE_SECONDS,
    ) -> None:
        self._server = server
        self._folder = folder
        self._place = place
        self._every = every
        self._process: ServerProcess | None = None
        self._command: subprocess.Popen[bytes] | None = None
        self._settled = threading.Event()

    def start_server(self, life: int, emit: Emit) -> Iterable[Notice]:
        """Mend its data and start the server; its replies to PING and its exit are emitted.

        Raises:
            ServerError: `server.missing`.
            DataError: The guard refuses what the folder holds, or a server that was adopted left
                the folder to another.
        """
        self._settled.set()  # the last life's probes end
        self._settled = threading.Event()
        adopted = self._adopted(life)
        mended = None if adopted else guard.make_safe(self._folder, self._server)
        self._process = process = adopted or self._spawned(life)
        address = f"redis://{self._place.host}:{self._place.port}"
        self._folder.hold(Holder(os.getpid(), process.pid, address))
        _in_background(lambda: emit(ServerExited(life, process.wait())))
        _in_background(probe.watch, self._place, life, self._every, emit, self._settled)
        return () if mended is None else (mended,)

    def _adopted(self, life: int) -> ServerProcess | None:
        left_behind = self._folder.left_behind
        return Adopted(left_behind) if left_behind is not None and life == 1 else None

    def _spawned(self, life: int) -> ServerProcess:
        command = [self._server.path, str(self._folder.conf)]
        try:
            with self._folder.open_log(again=life > 1) as log:
                return server_process.start(
                    command, self._folder.path, log, [self._folder.lock_for_server()]
                )
        except OSError as error:
            raise ServerError(
                "server.missing",
                f"{self._server.path} cannot be started",
                why=error.strerror or str(error),
                do="sturdis up --server PATH",
            ) from error

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
            self._command = command = subprocess.Popen(argv, env={**os.environ, **environ})
        except OSError as error:
            raise CommandError(
                "command.not_found",
                f"the command {argv[0]} cannot be started",
                why=error.strerror or str(error),
                do="sturdis up -- COMMAND, with a command that this shell would find",
            ) from error
        _in_background(lambda: emit(CommandExited(command.wait())))

    def signal_command(self, number: int) -> None:
        """Pass a signal on to the command, unless the terminal has sent it there already."""
        if self._command is None or (number == signal.SIGINT and signals.in_foreground()):
            return
        self._command.send_signal(number)

    def after(self, seconds: float, emit: Emit, event: Event) -> None:
        """Emit `event` when `seconds` have passed."""
        timer = threading.Timer(seconds, emit, (event,))
        timer.daemon = True
        timer.start()

    def now(self) -> float:
        """Give the monotonic clock's time, in seconds."""
        return time.monotonic()

    def signals(self, emit: Emit) -> AbstractContextManager[None]:
        """Emit `StopRequested` for SIGINT, SIGTERM and SIGHUP while the context lasts."""
        return signals.emitted(emit)

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
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._settled.set()


def _in_background(target: Callable[..., None], *args: object) -> None:
    threading.Thread(target=target, args=args, daemon=True).start()
