"""Faults between the server and its clients. Times are in milliseconds unless told."""

from typing import Annotated

import msgspec

from sturdis.core.drill.faults.options import Count, Milliseconds, Options, Seconds


class CutConnections(Options, frozen=True, tag="cut-connections"):
    """Replies are swallowed for a moment, and then all connections cut, several times."""

    swallow: Milliseconds = 60
    """The server does what it is asked meanwhile, and no client hears of it."""
    cuts: Count = 3
    pause: Milliseconds = 400
    """Between two cuts: clients connect again."""


class SlowLink(Options, frozen=True, tag="slow-link"):
    """Whatever is sent arrives later, both ways."""

    delay: Milliseconds = 50
    """Each way."""
    seconds: Seconds = 3.0


class Partition(Options, frozen=True, tag="partition"):
    """The kernel drops all packets between the server and its clients, by nftables."""

    seconds: Seconds = 3.0
    """Longer than the workers' locks, so that jobs under way stall."""


class ClientStorm(Options, frozen=True, tag="client-storm"):
    """Clients connect until the server has no file left for another one."""

    files: Annotated[int, msgspec.Meta(ge=64, le=10_000)] = 256
    """What the server may open: its `maxclients` is 32 less."""
    more: Count = 50
    """So many are refused before the storm is over."""
    seconds: Seconds = 1.5
    """How long those that were let in stay."""
