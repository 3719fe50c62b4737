"""The signals that ask this program to end."""

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType

from sturdis.core.supervision.events import StopRequested

_Handler = Callable[[int, FrameType | None], object] | int | None

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

ONE_REQUEST_SECONDS = 0.1
"""Longest time between two signals that are one request: no person asks again so soon."""


@contextlib.contextmanager
def emitted(
    emit: Callable[[StopRequested], None], now: Callable[[], float] = time.monotonic
) -> Iterator[None]:
    """Emit `StopRequested` for SIGINT, SIGTERM and SIGHUP while the block runs.

    The same signal again within `ONE_REQUEST_SECONDS` is the same request: timeout(1) sends each to
    its child and to the child's process group.

    Outside the main thread, where Python handles no signals, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    last: dict[int, float] = {}

    def request_stop(number: int, _frame: FrameType | None) -> None:
        moment = now()
        is_new = moment - last.get(number, -math.inf) > ONE_REQUEST_SECONDS
        last[number] = moment
        if is_new:
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

    `ignore` then keeps further ones from ending the removal, until the block ends.
    """
    with _restored() as before:
        for number, handler in before.items():
            if handler in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(number, signal.default_int_handler)
        yield


@contextlib.contextmanager
def ignored() -> Iterator[None]:
    """Let nothing but SIGKILL end the block; for a clean-up that is short."""
    with _restored():
        ignore()
        yield


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Let the requests to stop that come in the block end what follows it: KeyboardInterrupt.

    Unlike `ignored`, they are not forgotten, and no process that is started in the block ignores
    them. A block within such a block leaves them to the outer one.
    """
    if isinstance(signal.getsignal(signal.SIGINT), _Noted):
        yield
        return
    noted = _Noted()
    try:
        with _restored() as before:
            for number, handler in before.items():
                if handler is not signal.SIG_IGN:
                    signal.signal(number, noted)
            yield
    finally:
        if noted.heard:
            raise KeyboardInterrupt


class _Noted:
    """Hears a signal, and does nothing about it yet."""

    def __init__(self) -> None:
        self.heard = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.heard = True


def ignore() -> None:
    """Let nothing but SIGKILL end what follows in a block of `unwinding`."""
    if threading.current_thread() is threading.main_thread():
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def _restored() -> Iterator[Mapping[signal.Signals, _Handler]]:
    """Give who hears the signals now, and let them hear again when the block ends.

    Empty outside the main thread, where Python handles no signals.
    """
    in_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS} if in_main else {}
    try:
        yield before
    finally:
        for number, handler in before.items():
            if handler is not None:  # None: one that Python did not set, and cannot
                signal.signal(number, handler)


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
