"""Who hears the signals that ask a program to end: whoever heard them before, in the end."""

import os
import signal

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
