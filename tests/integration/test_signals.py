"""Who hears the signals that ask a program to end: whoever heard them before, in the end."""

import os
import signal
import subprocess
import sys

import pytest

from sturdis.adapters.local import signals


@pytest.fixture
def heard():
    """Hear SIGTERM as a program that uses Sturdis may; give what was heard."""
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    yield told
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("number", signals.STOP_SIGNALS)
def test_what_a_clean_up_ignored_is_heard_again_as_before(number):
    before = signal.getsignal(number)
    with signals.unwinding():
        signals.ignore()
        os.kill(os.getpid(), number)
    with signals.ignored():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


def test_a_programs_own_way_to_hear_a_signal_is_left_to_it(heard):
    with signals.unwinding():
        os.kill(os.getpid(), signal.SIGTERM)
        signals.ignore()
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
    assert heard == [signal.SIGTERM, signal.SIGTERM]


def test_a_request_to_end_unwinds_the_block_as_ctrl_c_does():
    with pytest.raises(KeyboardInterrupt), signals.unwinding():
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_that_is_deferred_ends_what_follows_the_block(number):
    done = []

    def asked_meanwhile() -> None:
        with signals.deferred():
            with signals.deferred():
                os.kill(os.getpid(), number)
                done.append("inner")
            done.append("outer")
        done.append("after")

    with pytest.raises(KeyboardInterrupt):
        asked_meanwhile()
    assert done == ["inner", "outer"]


def test_what_is_started_while_requests_are_deferred_hears_them():
    script = "import signal; print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)"
    with signals.deferred():
        told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert told.stdout == b"True\n"


def test_without_a_request_nothing_follows_a_block():
    before = signal.getsignal(signal.SIGINT)
    with signals.deferred():
        pass
    assert signal.getsignal(signal.SIGINT) == before
