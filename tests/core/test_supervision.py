import itertools

import pytest

from sturdis.core import supervision
from sturdis.core.supervision import (
    Action,
    Announce,
    CommandExited,
    Event,
    KillCommand,
    KillServer,
    Phase,
    Reason,
    Replied,
    RunCommand,
    ServerExited,
    SignalCommand,
    StartOverdue,
    State,
    StopCommand,
    StopOverdue,
    StopRequested,
    StopServer,
)

PONG = Replied("+PONG")
LOADING = Replied("-LOADING Redis is loading the dataset in memory")
EVENTS: tuple[Event, ...] = (
    PONG,
    LOADING,
    ServerExited(0),
    CommandExited(3),
    StopRequested(2),
    StartOverdue(),
    StopOverdue(),
)


def play(state: State, *events: Event) -> tuple[State, list[Action]]:
    done: list[Action] = []
    for event in events:
        state, actions = supervision.step(state, event)
        done.extend(actions)
    return state, done


def test_the_server_is_announced_when_ping_is_answered_with_pong_and_not_before():
    state, actions = play(State(), LOADING, Replied("-NOAUTH Authentication required."))
    assert (state.phase, actions) == (Phase.STARTING, [])
    state, actions = play(state, PONG)
    assert (state.phase, actions) == (Phase.SERVING, [Announce()])


def test_a_stop_lets_the_server_write_and_waits_for_it():
    state, actions = play(State(), PONG, StopRequested(15))
    assert actions == [Announce(), StopServer()]
    assert not state.over
    state, actions = play(state, ServerExited(0))
    assert state.over
    assert (state.reason, state.server_status, actions) == (Reason.ASKED, 0, [])


def test_a_second_stop_does_not_wait():
    _state, actions = play(State(), PONG, StopRequested(2), StopRequested(2))
    assert actions[-1] == KillServer()


def test_a_server_that_does_not_stop_in_time_is_killed():
    _state, actions = play(State(), PONG, StopRequested(2), StopOverdue())
    assert actions[-1] == KillServer()


def test_a_server_that_is_never_ready_is_stopped():
    state, actions = play(State(), LOADING, StartOverdue(), ServerExited(0))
    assert (state.over, state.reason, actions) == (True, Reason.NOT_READY, [StopServer()])


def test_a_server_that_ends_by_itself_ends_the_run():
    state, _actions = play(State(), ServerExited(1))
    assert (state.over, state.reason, state.status) == (True, Reason.SERVER_EXITED, 1)


def test_a_command_decides_about_signals_and_its_status_is_kept():
    wanted = State(command_wanted=True)
    state, actions = play(wanted, PONG, StopRequested(2), StopRequested(15), CommandExited(3))
    assert actions == [Announce(), RunCommand(), SignalCommand(2), SignalCommand(15), StopServer()]
    state, _actions = play(state, ServerExited(0))
    assert (state.over, state.reason, state.status) == (True, Reason.COMMAND_ENDED, 3)


def test_a_command_that_never_ran_counts_as_ended_by_the_signal():
    state, actions = play(State(command_wanted=True), LOADING, StopRequested(2), ServerExited(0))
    assert (state.over, state.reason, state.status) == (True, Reason.ASKED, -2)
    assert actions == [StopServer()]


def test_a_command_is_told_to_end_when_its_server_has():
    state, actions = play(State(command_wanted=True), PONG, ServerExited(-9))
    assert actions[-1] == StopCommand()
    assert not state.over
    _still, actions = play(state, StopOverdue())
    assert actions == [KillCommand()]
    state, _actions = play(state, CommandExited(-15))
    assert (state.over, state.reason, state.status) == (True, Reason.SERVER_EXITED, -9)


@pytest.mark.parametrize("command_wanted", [False, True])
def test_over_all_orders_of_events_the_run_stays_sane(command_wanted):
    for events in itertools.product(EVENTS, repeat=5):
        state = State(command_wanted=command_wanted)
        done: list[Action] = []
        for event in events:
            gone = state.phase is Phase.ENDED
            state, actions = supervision.step(state, event)
            assert not gone or not {StopServer(), KillServer(), Announce()} & set(actions), events
            done.extend(actions)
        assert done.count(Announce()) <= 1, events
        assert done.count(RunCommand()) == (done.count(Announce()) if command_wanted else 0), events
        assert done.count(StopServer()) <= 1, events
        assert KillServer() not in done or StopServer() in done, events
        assert (state.phase is Phase.ENDED) == (ServerExited(0) in events), events
        assert not state.over or state.reason is not None, events


@pytest.mark.parametrize(
    ("maxmemory", "seconds"), [(0, 60), (644245094, 60), (10**10, 800), (2**62, 86400)]
)
def test_the_start_budget_grows_with_the_data_it_may_have_to_load(maxmemory, seconds):
    assert supervision.start_budget(maxmemory) == seconds
