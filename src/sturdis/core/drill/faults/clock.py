"""Faults of the clock. Times are in seconds."""

from typing import Annotated

import msgspec

from sturdis.core.drill.faults.options import Options


class ClockStep(Options, frozen=True, tag="clock-step"):
    """The server's clock jumps ahead in odd rounds, back in even ones, and later to where it was.

    The clients' clocks stay right.
    """

    step: Annotated[float, msgspec.Meta(ge=120, le=10 * 365 * 86400)] = 3600.0
    """Far more than clocks that are read one after the other differ by."""
