"""The machine that decides what `up` does, over all orders of events."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.supervision import machine
from sturdis.core.supervision.actions import (
    Action,
    After,
    Announce,
    KillServer,
    RunCommand,
    StartServer,
    StopServer,
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
from sturdis.core.supervision.machine import Phase, State

ALLOWED = Limits(start=60, stop=30, probe=5, silent_probes=2)


def events_in(life: int) -> tuple[Event, ...]:
    return (
        Replied(life, "+PONG"),
        Replied(life, "-LOADING"),
        Replied(life, "-MISCONF"),
        Replied(life, "-NOAUTH"),
        Unanswered(life),
        Loaded(life, 1, 2),
        ServerExited(life, -9),
        StartOverdue(life),
        StopOverdue(life),
        Steady(life),
        RestartDue(life),
    )


EVERY_EVENT = (*events_in(1), *events_in(2), *events_in(3), CommandExited(3), StopRequested(2))

Node = tuple[State, bool]
"""A state, and whether a server process is alive, by the actions and exits so far."""


def reachable(*, command: bool) -> dict[Node, list[tuple[Event, Node, tuple[Action, ...]]]]:
    """Every state that any order of events leads to within three lives, with all ways out."""
    first, _actions = machine.begin(ALLOWED, command_wanted=command)
    edges: dict[Node, list[tuple[Event, Node, tuple[Action, ...]]]] = {}
    waiting = deque([(first, True)])
    while waiting:
        node = waiting.popleft()
        state, alive = node
        if node in edges:
            continue
        edges[node] = []
        for event in EVERY_EVENT:
            exited = isinstance(event, ServerExited) and event.life == state.life
            if (exited and not alive) or (
                isinstance(event, CommandExited) and not state.command_running
            ):
                continue  # what is gone does not end
            following, actions = machine.step(state, event)
            starts = any(isinstance(action, StartServer) for action in actions)
            after = (following, starts or (alive and not exited))
            edges[node].append((event, after, actions))
            if following.life <= 3:
                waiting.append(after)
    return edges


@pytest.mark.parametrize("command", [False, True])
def test_over_all_orders_of_events_a_run_stays_sane(command):
    edges = reachable(command=command)
    assert len(edges) > 100
    for (state, alive), ways in edges.items():
        assert not state.over or (state.reason is not None and not alive), state
        assert state.phase is not Phase.WAITING or not alive, state
        for event, (following, _alive), actions in ways:
            told = (state, event, actions)
            starts = [action for action in actions if isinstance(action, StartServer)]
            exits = isinstance(event, ServerExited)
            assert not starts or not alive or exits, told
            assert not starts or starts == [StartServer(state.life + 1)], told
            assert following.life == state.life + len(starts), told
            assert not {StopServer(), KillServer()} & set(actions) or alive, told
            assert Announce() not in actions or not state.served, told
            assert (RunCommand() in actions) == (Announce() in actions and command), told
            assert not state.over or (following, actions) == (state, ()), told


@pytest.mark.parametrize("command", [False, True])
def test_from_every_state_a_run_can_be_ended(command):
    for state, alive in reachable(command=command):
        ending = state
        if ending.command_running:
            ending, _actions = machine.step(ending, CommandExited(0))
        ending, _actions = machine.step(ending, StopRequested(15))
        if alive:
            ending, _actions = machine.step(ending, ServerExited(ending.life, 0))
        assert ending.over, state


@given(st.lists(st.sampled_from(EVERY_EVENT), max_size=60), st.booleans())
def test_every_start_has_its_budget_and_every_stop_its_limit(events, command):
    state, actions = machine.begin(ALLOWED, command_wanted=command)
    done = list(actions)
    for event in events:
        state, actions = machine.step(state, event)
        done.extend(actions)
        if StopServer() in actions:
            assert After(30, StopOverdue(state.life)) in actions
    for action in done:
        if isinstance(action, StartServer):
            assert After(60, StartOverdue(action.life)) in done
