"""The signals that ask this program to end."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from sturdis.core.supervision.events import StopRequested

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def emitted(emit: Callable[[StopRequested], None]) -> Iterator[None]:
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


@contextlib.contextmanager
def unwinding() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that what it made is removed.

    `ignore` then keeps further ones from ending the removal.
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


def ignore() -> None:
    """Let nothing but SIGKILL end what follows; for a clean-up that is short."""
    if threading.current_thread() is threading.main_thread():
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def in_foreground() -> bool:
    """Tell whether this process group is the one that the terminal's Ctrl-C goes to."""
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
