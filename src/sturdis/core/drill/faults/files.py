"""Faults of the append-only file while no server runs on it. Sizes are in bytes."""

from sturdis.core.drill.faults.options import Bytes, Count, Options


class TornTail(Options, frozen=True, tag="torn-tail"):
    """SIGKILL, and the end of the last increment is cut off, inside a command or transaction."""

    most: Bytes = 4000
    """The cut is at most this far from the end: a few of BullMQ's transactions."""


class NulTail(Options, frozen=True, tag="nul-tail"):
    """SIGKILL, and zero bytes follow the last increment, as some file systems leave them."""

    most: Bytes = 4096
    """From one byte up to this: what a file system makes a file longer by."""
    over: Bytes = 400
    """So many of the last bytes at most are overwritten; half of the time none is."""


class BitFlip(Options, frozen=True, tag="bit-flip"):
    """SIGKILL, and one bit in the last increment is another where it can be seen: in its frame.

    The frame is what says where commands and arguments begin and end, a tenth of the bytes.
    """

    among: Bytes = 20_000
    """The bit is among so many of the last bytes."""


class BitFlips(Options, frozen=True, tag="bit-flips"):
    """One bit anywhere in an increment, again and again, each on a copy of its own."""

    trials: Count = 100


class TornMulti(Options, frozen=True, tag="torn-multi"):
    """The increment cut at every byte inside its last transaction, each on a copy of its own.

    After each start more is written, and the server killed and started again.
    """

    nuls: Bytes = 512
    """Zero bytes that follow the cut in trials of their own."""
    every: Count = 8
    """One cut in so many is tried with zero bytes behind it as well."""


class VolumeLost(Options, frozen=True, tag="volume-lost"):
    """SIGKILL, and all that was in the data folder is gone."""
