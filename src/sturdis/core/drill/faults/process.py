"""Faults of the server's process. Times are in seconds."""

from enum import Enum

from sturdis.core.drill.faults.options import Options


class Moment(Enum):
    """When a process is struck."""

    ANY = "any"
    """After a random time under load."""
    REWRITE = "rewrite"
    """While it rewrites its append-only file."""
    LOADING = "loading"
    """While it loads its data, after another kill."""


class Kill(Options, frozen=True, tag="kill"):
    """SIGKILL."""

    moment: Moment = Moment.ANY


class Stop(Options, frozen=True, tag="stop"):
    """SIGSTOP: it is there, and does not answer. It lasts as long as the drill observes."""
