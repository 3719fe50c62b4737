"""A server's process: started by this program, or found running and adopted."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol

LOOK_SECONDS = 0.05
"""How often a process that is no child of ours is looked at where the system has no pidfd."""


class ServerProcess(Protocol):
    """A process that can be ended and awaited; ending one that is gone does nothing."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def terminate(self) -> None:
        """Ask it to write and end (SIGTERM)."""

    def kill(self) -> None:
        """End it at once (SIGKILL)."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and give its status, negative for a signal.

        Raises:
            subprocess.TimeoutExpired: It has not ended after `timeout` seconds.
        """


def start(
    command: Sequence[str], folder: Path, log: BinaryIO, inherited: Sequence[int]
) -> ServerProcess:
    """Start a server in `folder`, in a session of its own, which ends when this program does.

    The session keeps a Ctrl-C away from it. Where the system cannot end it with us (macOS), it goes
    on when this program is killed, and holds the `inherited` descriptors.

    Raises:
        OSError: The program cannot be started.
    """
    return subprocess.Popen(
        [*_ends_with_us(), *command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=tuple(inherited),
    )


@cache
def _ends_with_us() -> tuple[str, ...]:
    """Give what to put before a command so that the kernel ends it when this program is gone.

    util-linux' setpriv sets the parent-death signal and then becomes the command: nothing of ours
    runs between fork and exec. busybox' setpriv cannot, so that it is tried first.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return ()
    wrapper = (setpriv, "--pdeathsig", "TERM", "--")
    tried = subprocess.run([*wrapper, "true"], capture_output=True, check=False)
    return wrapper if tried.returncode == 0 else ()


class Adopted:
    """A server that this program did not start. How it ended is not told to us: 0 stands for it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._looking = threading.Event()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._pid

    def terminate(self) -> None:
        """Ask it to write and end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and give 0.

        Raises:
            subprocess.TimeoutExpired: It has not ended after `timeout` seconds.
        """
        ended = _await_end if sys.platform == "linux" else self._look_for_end
        if not ended(self._pid, timeout):
            raise subprocess.TimeoutExpired(f"server {self._pid}", timeout or 0)
        return 0

    def _look_for_end(self, pid: int, timeout: float | None) -> bool:
        until = None if timeout is None else time.monotonic() + timeout
        while alive(pid):
            if until is not None and time.monotonic() > until:
                return False
            self._looking.wait(LOOK_SECONDS)
        return True

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)


if sys.platform == "linux":

    def _await_end(pid: int, timeout: float | None) -> bool:
        """Tell whether a process ended within `timeout` seconds, its parent having noticed or not.

        In a container without an init nobody does, and its number stays taken.
        """
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            ended = select.poll()
            ended.register(process, select.POLLIN)
            return bool(ended.poll(None if timeout is None else timeout * 1000))
        finally:
            os.close(process)


def alive(pid: int) -> bool:
    """Tell whether there is a process `pid`, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
