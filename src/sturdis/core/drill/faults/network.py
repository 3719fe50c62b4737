"""Faults between the server and its clients. Times are in milliseconds unless told."""

from sturdis.core.drill.faults.options import Options


class CutConnections(Options, frozen=True, tag="cut-connections"):
    """Replies are swallowed for a moment, and then all connections cut, several times."""

    swallow: int = 60
    """The server does what it is asked meanwhile, and no client hears of it."""
    cuts: int = 3
    pause: int = 400
    """Between two cuts: clients connect again."""


class SlowLink(Options, frozen=True, tag="slow-link"):
    """Whatever is sent arrives later, both ways."""

    delay: int = 50
    """Each way."""
    seconds: float = 3.0


class Partition(Options, frozen=True, tag="partition"):
    """The kernel drops all packets between the server and its clients, by nftables."""

    seconds: float = 3.0
    """Longer than the workers' locks, so that jobs under way stall."""


class ClientStorm(Options, frozen=True, tag="client-storm"):
    """Clients connect until the server has no file left for another one."""

    files: int = 256
    """What the server may open: its `maxclients` is 32 less."""
    more: int = 50
    """So many are refused before the storm is over."""
    seconds: float = 1.5
    """How long those that were let in stay."""
