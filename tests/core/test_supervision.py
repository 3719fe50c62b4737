"""The machine that decides what `up` does, case by case."""

import pytest

from sturdis.core import notices
from sturdis.core.supervision import limits, machine, replies
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
from sturdis.core.supervision.events import (
    CommandExited,
    Event,
    Loaded,
    Replied,
    RestartDue,
    ServerExited,
    StartOverdue,
    Steady,
    StopOverdue,
    StopRequested,
    Unanswered,
)
from sturdis.core.supervision.limits import Limits
from sturdis.core.supervision.machine import Phase, Reason, State

ALLOWED = Limits(start=60, stop=30, probe=5, silent_probes=2)
PONG = Replied(1, "+PONG")
LOADING = Replied(1, "-LOADING Redis is loading the dataset in memory")
MISCONF = Replied(1, "-MISCONF Errors writing to the AOF file: No space left on device")


def play(
    *events: Event, state: State | None = None, command: bool = False
) -> tuple[State, list[Action]]:
    done: list[Action] = []
    if state is None:
        state, _first = machine.begin(ALLOWED, command_wanted=command)
    for event in events:
        state, actions = machine.step(state, event)
        done.extend(actions)
    return state, done


def without_timers(actions: list[Action]) -> list[Action]:
    return [action for action in actions if not isinstance(action, After)]


def test_a_run_begins_with_a_start_and_its_budget():
    _state, actions = machine.begin(ALLOWED)
    assert actions == (StartServer(1), After(60, StartOverdue(1)))


def test_the_server_is_announced_when_ping_is_answered_with_pong_and_not_before():
    state, actions = play(LOADING, Replied(1, "-NOAUTH Authentication required."))
    assert state.phase is Phase.STARTING
    assert actions == [Tell(notices.Answers("-NOAUTH Authentication required."))]
    state, actions = play(PONG)
    assert (state.phase, without_timers(actions)) == (Phase.SERVING, [Announce()])


def test_what_has_been_loaded_is_told_while_the_server_starts_and_not_later():
    _state, actions = play(Loaded(1, 10, 100), LOADING)
    assert actions == [Tell(notices.Loading(10, 100))]
    _state, actions = play(PONG, Loaded(1, 10, 100))
    assert without_timers(actions) == [Announce()]


@pytest.mark.parametrize(
    ("reply", "ready"),
    [
        ("+PONG", True),
        ("-MISCONF Errors", True),
        ("-BUSY Redis is busy", True),
        ("-LOADING Redis", False),
        ("-NOAUTH Authentication", False),
        ("-NOPERM this user", False),
        ("-ERR unknown", False),
        ("HTTP/1.1 400", False),
    ],
)
def test_a_server_is_ready_when_its_reply_says_so(reply, ready):
    assert replies.ready(reply) is ready
    assert (play(Replied(1, reply))[0].phase is Phase.SERVING) is ready


def test_a_reply_is_told_when_it_changes_and_leaves_the_server_alone():
    state, actions = play(PONG, MISCONF, MISCONF, PONG)
    assert state.phase is Phase.SERVING
    assert without_timers(actions)[1:] == [
        Tell(notices.Answers(MISCONF.text)),
        Tell(notices.Answers("+PONG")),
    ]


def test_a_stop_lets_the_server_write_and_waits_for_it():
    state, actions = play(PONG, StopRequested(15))
    assert actions[-2:] == [StopServer(), After(30, StopOverdue(1))]
    assert not state.over
    state, actions = play(ServerExited(1, 0), state=state)
    assert (state.over, state.reason, state.server_status) == (True, Reason.ASKED, 0)
    assert actions == []


def test_a_second_stop_does_not_wait():
    _state, actions = play(PONG, StopRequested(2), StopRequested(2))
    assert actions[-1] == KillServer()


def test_a_server_that_does_not_stop_in_time_is_killed():
    _state, actions = play(PONG, StopRequested(2), StopOverdue(1))
    assert actions[-1] == KillServer()


def test_a_server_that_is_never_ready_is_stopped_and_ends_the_run():
    state, actions = play(LOADING, StartOverdue(1), ServerExited(1, 0))
    assert (state.over, state.reason) == (True, Reason.NOT_READY)
    assert without_timers(actions) == [StopServer()]


def test_a_server_that_ends_before_it_served_ends_the_run():
    state, _actions = play(ServerExited(1, 1))
    assert (state.over, state.reason, state.status) == (True, Reason.SERVER_EXITED, 1)


def test_a_server_that_served_is_started_again_at_once():
    state, actions = play(PONG, ServerExited(1, -9))
    assert actions[-3:] == [
        Tell(notices.Ended(-9, 0.0)),
        StartServer(2),
        After(60, StartOverdue(2)),
    ]
    state, actions = play(Replied(2, "+PONG"), state=state)
    assert state.phase is Phase.SERVING
    assert without_timers(actions) == [Tell(notices.ServesAgain())]


def test_waits_grow_while_it_keeps_ending_and_are_forgotten_once_it_serves_steadily():
    state, _actions = play(PONG)
    waits: list[float] = []
    for _end in range(12):
        state, actions = play(ServerExited(state.life, 1), state=state)
        waits += [action.notice.wait for action in actions if ended(action)]  # type: ignore[union-attr]
        if state.phase is Phase.WAITING:
            state, _actions = play(RestartDue(state.life), state=state)
    assert waits == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    state, actions = play(Replied(state.life, "+PONG"), state=state)
    assert After(600, Steady(state.life)) in actions
    state, actions = play(Steady(state.life), ServerExited(state.life, 1), state=state)
    assert Tell(notices.Ended(1, 0.0)) in actions


def ended(action: Action) -> bool:
    return isinstance(action, Tell) and isinstance(action.notice, notices.Ended)


def test_a_server_that_does_not_answer_is_replaced():
    state, actions = play(PONG, Unanswered(1), PONG, Unanswered(1), Unanswered(1))
    assert state.phase is Phase.REPLACING
    assert actions[-3:] == [Tell(notices.Silent(10)), StopServer(), After(30, StopOverdue(1))]
    state, actions = play(StopOverdue(1), ServerExited(1, -9), state=state)
    assert (actions[0], StartServer(2) in actions) == (KillServer(), True)


def test_a_server_that_was_started_again_and_is_not_ready_in_time_is_replaced():
    state, _actions = play(PONG, ServerExited(1, -9))
    state, actions = play(StartOverdue(2), state=state)
    assert actions[:2] == [Tell(notices.Overdue(60)), StopServer()]
    state, actions = play(ServerExited(2, 0), state=state)
    assert Tell(notices.Ended(0, 1.0)) in actions


def test_what_is_said_of_an_earlier_life_means_nothing():
    state, _actions = play(PONG, ServerExited(1, -9))
    for stale in (PONG, MISCONF, Unanswered(1), StartOverdue(1), StopOverdue(1), Steady(1)):
        assert machine.step(state, stale) == (state, ())


def test_a_stop_while_it_waits_to_start_again_ends_the_run_at_once():
    state, _actions = play(PONG, ServerExited(1, 1), Replied(2, "+PONG"), ServerExited(2, 1))
    assert state.phase is Phase.WAITING
    state, actions = play(StopRequested(2), state=state)
    assert (state.over, actions) == (True, [])


def test_a_stop_while_it_is_replaced_lets_it_end_and_starts_no_other():
    state, _actions = play(PONG, Unanswered(1), Unanswered(1), StopRequested(2))
    state, actions = play(ServerExited(1, -15), state=state)
    assert (state.over, actions) == (True, [])


def test_a_command_decides_about_signals_and_its_status_is_kept():
    events = PONG, StopRequested(2), StopRequested(15), CommandExited(3)
    state, actions = play(*events, command=True)
    assert without_timers(actions) == [
        Announce(),
        RunCommand(),
        SignalCommand(2),
        SignalCommand(15),
        StopServer(),
    ]
    state, _actions = play(ServerExited(1, 0), state=state)
    assert (state.over, state.reason, state.status) == (True, Reason.COMMAND_ENDED, 3)


def test_a_command_that_never_ran_counts_as_ended_by_the_signal():
    state, actions = play(LOADING, StopRequested(2), ServerExited(1, 0), command=True)
    assert (state.over, state.reason, state.status) == (True, Reason.ASKED, -2)
    assert without_timers(actions) == [StopServer()]


def test_a_command_goes_on_while_its_server_is_started_again_and_runs_once():
    state, actions = play(PONG, ServerExited(1, -9), Replied(2, "+PONG"), command=True)
    assert actions.count(RunCommand()) == 1
    assert state.command_running
    state, actions = play(CommandExited(0), ServerExited(2, 0), state=state)
    assert (state.over, state.reason, state.status) == (True, Reason.COMMAND_ENDED, 0)


def test_a_command_that_ends_while_there_is_no_server_ends_the_run():
    events = PONG, ServerExited(1, 1), Replied(2, "+PONG"), ServerExited(2, 1), CommandExited(4)
    state, _actions = play(*events, command=True)
    assert (state.over, state.status) == (True, 4)


@pytest.mark.parametrize(
    ("maxmemory", "seconds"), [(0, 60), (644245094, 60), (10**10, 800), (2**62, 86400)]
)
def test_the_start_budget_grows_with_the_data_it_may_have_to_load(maxmemory, seconds):
    assert limits.start_budget(maxmemory) == seconds
