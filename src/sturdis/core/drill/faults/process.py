"""Faults of the server's process. Times are in seconds."""

from enum import Enum

import msgspec


class Moment(Enum):
    """When a process is struck."""

    ANY = "any"
    """After a random time under load."""
    REWRITE = "rewrite"
    """While it rewrites its append-only file."""
    LOADING = "loading"
    """While it loads its data, after another kill."""


class Kill(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="kill"):
    """SIGKILL."""

    moment: Moment = Moment.ANY
