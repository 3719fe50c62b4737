"""What `sturdis drill` is asked to do, and what it tells while it does it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

from sturdis.core import address as addresses
from sturdis.core.address import Address
from sturdis.core.aim import Aim
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.drill import abilities, configurations
from sturdis.core.drill.configurations import Configuration
from sturdis.core.drill.phases import Part
from sturdis.core.drill.scenario import MOST_ROUNDS, Scenario
from sturdis.core.drill.stored import Choices, StoredRun
from sturdis.core.errors import DrillError, UsageError
from sturdis.core.spec import Spec, words

LOCAL, UP = "local", "up"
"""Targets that are no addresses: a server of the drill's own, and the running `up`."""

MOST_SEED = (1 << 31) - 1


@dataclass(frozen=True)
class DrillRequest:
    """Drills to be run, or to be listed, against one target."""

    choices: Choices = field(default_factory=Choices)
    drills: tuple[str, ...] = ()
    """Names, and paths of files; empty: all that come with Sturdis."""
    seed: int | None = None
    """None: one is drawn."""
    rounds: int | None = None
    """None: as each drill says."""
    keep: bool = False
    """Keep the data of the drill's server, also where it passed."""
    cluster: ClusterRequest | None = None
    spec: Spec = field(default_factory=Spec)
    """Of the deployment in the cluster."""


@dataclass(frozen=True)
class Listed:
    """A drill, and why it cannot be run on the target."""

    scenario: Scenario
    lacking: tuple[str, ...]
    """Empty: it can be run."""


class Hear(Protocol):
    """Hears how a run goes on."""

    def begins(self, drill: str, seed: int, rounds: int) -> None:
        """Hear that a drill begins."""

    def part(self, part: Part, number: int) -> None:
        """Hear that a part of it begins, in round `number`; 0 outside of rounds."""

    def ended(self, run: StoredRun, folder: str) -> None:
        """Hear what it came to, and where it is kept."""


def with_options(
    request: DrillRequest,
    *,
    drills: tuple[str, ...],
    seed: int | None,
    rounds: int | None,
    guarded: bool,
    configuration: str | None,
    modules: str | None,
    keep: bool,
) -> DrillRequest:
    """Give a request that named its target the rest of what was typed."""
    choices = msgspec.structs.replace(
        request.choices, guarded=guarded, configuration=configuration, modules=modules
    )
    return replace(request, choices=choices, drills=drills, seed=seed, rounds=rounds, keep=keep)


def refuse_senseless(request: DrillRequest) -> None:
    """Refuse what cannot be meant, before anything is touched.

    Raises:
        UsageError: `usage`.
    """
    if request.rounds is not None and not 1 <= request.rounds <= MOST_ROUNDS:
        raise _usage("--rounds", request.rounds, f"a whole number from 1 to {MOST_ROUNDS}")
    if request.seed is not None and not 0 <= request.seed <= MOST_SEED:
        raise _usage("--seed", request.seed, f"a whole number from 0 to {MOST_SEED}")
    chosen = request.choices
    own = (("--server", chosen.server), ("--configuration", chosen.configuration))
    for option, value in (*own, ("--no-guard", None if chosen.guarded else "")):
        if value is not None and chosen.target != LOCAL:
            raise UsageError(
                "usage",
                f"{option} goes with --target local alone",
                why="elsewhere the server runs already",
                do=f"leave out {option}, or --target and --context",
            )


def to_keep(choices: Choices) -> Choices:
    """Give what was typed as it may be kept and shown: without the password of the target.

    Raises:
        UsageError: `usage.address`.
    """
    if choices.in_cluster or choices.target in (LOCAL, UP):
        return choices
    return msgspec.structs.replace(choices, target=str(addresses.parse(choices.target)))


def _usage(option: str, value: int, wanted: str) -> UsageError:
    return UsageError(
        "usage",
        f"{option} {value} is not understood",
        why=f"it is {wanted}",
        do="sturdis drill run --help",
    )


def suited(
    scenarios: Mapping[str, Scenario], lacking: Callable[[Scenario], Sequence[str]]
) -> Mapping[str, Scenario]:
    """Leave out the drills that this kind of target can never run."""
    return {
        name: one
        for name, one in scenarios.items()
        if not any(why.endswith(abilities.NEVER) for why in lacking(one))
    }


def configuration(choices: Choices) -> Configuration | None:
    """Give the configuration that the drill's server is to have; None: the deployment's.

    Raises:
        UsageError: `usage`: there is none of that name.
    """
    name = choices.configuration
    if name is None:
        return None
    if known := configurations.BY_NAME.get(name):
        return known
    raise UsageError(
        "usage",
        f"there is no configuration {name!r}",
        why=words.did_you_mean(name, configurations.BY_NAME),
        do="name one of them, or leave --configuration out",
    )


def place_of(aim: Aim) -> Address:
    """Give the address of the `up` to break, which allows it.

    Raises:
        DrillError: `drill.not_ours`: no `up` of this user runs it. `drill.not_marked`: that `up`
            was not started for drills.
    """
    if aim.running is None:
        raise DrillError(
            "drill.not_ours",
            f"no `up` of yours runs the server at {aim.address}",
            why="a drill breaks what it is aimed at; nothing says that this server may be broken",
            do="sturdis drill run NAME    breaks a server of its own, with --target local",
        )
    if not aim.running.at.drills:
        raise DrillError(
            "drill.not_marked",
            f"the `up` at {aim.address} is not marked for drills",
            why="what it holds would be at stake; only one started with --drills may be broken",
            do="sturdis up --drills, or sturdis drill run NAME    with a server of its own",
        )
    return aim.address
