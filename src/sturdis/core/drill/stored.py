"""A run as it is kept: what was asked, what came of it, and how to run it again."""

import shlex
from collections.abc import Mapping

import msgspec

from sturdis.core.report import Verdict


class Reason(msgspec.Struct, frozen=True):
    """One reason of a verdict."""

    verdict: Verdict
    what: str


class Choices(msgspec.Struct, frozen=True):
    """What was typed beside the drill's name; each is at its default where nothing was."""

    target: str = "local"
    """`local`, an address, or a cluster's context as it was typed. Never kept with the password
    that the address may hold."""
    server: str | None = None
    guarded: bool = True
    configuration: str | None = None
    modules: str | None = None
    hooks: str | None = None
    namespace: str | None = None
    spec: str | None = None
    environment: str | None = None
    in_cluster: bool = False
    """Whether `target` is a context."""


class StoredRun(msgspec.Struct, frozen=True):
    """One run of a drill. Times are in milliseconds since 1970."""

    drill: str
    """Its name, or the path of its file."""
    hypothesis: str
    fault: str
    """Kind of the fault."""
    undo: str
    seed: int
    rounds: int
    choices: Choices
    server: str
    """Product and version of the server that was broken; empty: not known."""
    began: int
    ended: int
    reasons: tuple[Reason, ...]
    """The worst first; the first decides."""
    figures: Mapping[str, float | None] = {}
    longest_fsync: int | None = None
    """Milliseconds; None: not measured."""
    lock_duration: int = 0
    stalled_interval: int = 0
    """Milliseconds; 0: the drill has no load."""

    @property
    def verdict(self) -> Verdict:
        """Pass, fail or unknown."""
        return self.reasons[0].verdict

    @property
    def command(self) -> str:
        """Give what to type to run it again."""
        chosen = self.choices
        words = ["sturdis", "drill", "run", self.drill]
        if chosen.in_cluster:
            words += ["--context", chosen.target]
        elif chosen.target != "local":
            words += ["--target", chosen.target]
        options = (
            ("-n", chosen.namespace),
            ("--spec", chosen.spec),
            ("--env", chosen.environment),
            ("--server", chosen.server),
            ("--configuration", chosen.configuration),
            ("--modules", chosen.modules),
            ("--hooks", chosen.hooks),
        )
        for option, value in options:
            if value is not None:
                words += [option, value]
        if not chosen.guarded:
            words.append("--no-guard")
        words += ["--seed", str(self.seed), "--rounds", str(self.rounds)]
        return shlex.join(words)
