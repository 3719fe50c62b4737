"""What a drill may need of its target; where that lacks one, the drill is unknown and says why."""

from collections.abc import Mapping, Sequence
from enum import Enum


class Ability(Enum):
    """One thing that can be done to a target. Its value is the word in a drill's file."""

    KILL = "kill"
    """Send signals to the server's process."""
    RESTART = "restart"
    """Start the server again, by hand or by what supervises it."""
    PRELOAD = "preload"
    """Run the server with a library of ours between it and the system: power cut, fsync, clock."""
    SMALL_DISK = "small disk"
    """Keep the data on a disk of a few MiB."""
    DATA_FILES = "data files"
    """Change the files of the data folder while the server is down."""
    OTHER_SERVER = "other server"
    """Start another version of the server on the same data."""
    SET_CONFIGURATION = "set configuration"
    """CONFIG SET at run time."""
    MEMORY_LIMIT = "memory limit"
    """Hold the server's memory with a limit of the kernel, and count its kills."""
    PROXY = "proxy"
    """Have clients come through a proxy of ours: slow links, cut connections."""
    FIREWALL = "firewall"
    """Drop packets by nftables."""
    FILE_LIMIT = "file limit"
    """Run the server with a limit of open files."""
    DELETE_POD = "delete pod"
    """Delete the server's pod."""
    NODE = "node"
    """Crash, cut off and return the node that the server runs on."""


Abilities = Mapping[Ability, str]
"""Each ability to why the target lacks it; empty: it has it. One that is not in it is lacking."""


NEVER = "this kind of target never has it"
"""Why an ability is lacking that no machine could give."""


def lacking(needed: Sequence[Ability], has: Abilities) -> tuple[str, ...]:
    """Say of each needed ability that the target lacks why it does; empty: it has all."""
    told = ((one, has.get(one, NEVER)) for one in needed)
    return tuple(f"{one.value}: {why}" for one, why in told if why)
