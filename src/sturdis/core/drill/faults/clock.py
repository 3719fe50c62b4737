"""Faults of the clock. Times are in seconds."""

from sturdis.core.drill.faults.options import Options


class ClockStep(Options, frozen=True, tag="clock-step"):
    """The server's clock jumps ahead in odd rounds, back in even ones, and later to where it was.

    The clients' clocks stay right.
    """

    step: float = 3600.0
