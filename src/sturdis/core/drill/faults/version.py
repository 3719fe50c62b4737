"""Faults of the server's version: another one is started on the same data."""

from sturdis.core.drill.faults.options import Options


class ServerUpgrade(Options, frozen=True, tag="server-upgrade"):
    """A newer server, and back to the one before where that reads what the newer one wrote."""

    to: str = ""
    """Its path; empty: the newest on this machine that reads the data."""


class ServerDowngrade(Options, frozen=True, tag="server-downgrade"):
    """An older server that cannot read the data: refused before it touches a file."""

    to: str = ""
    """Its path; empty: the newest on this machine that does not read the data."""
