"""The parts of a drill's run, in their order."""

from enum import Enum


class Part(Enum):
    """What goes on."""

    STEADY = "steady"
    """Load begins; the drill waits until jobs are added and processed."""
    LOAD = "load"
    """Load goes on undisturbed, as long as the seed says."""
    FAULT = "fault"
    """The target is broken."""
    OBSERVE = "observe"
    """It stays broken."""
    UNDO = "undo"
    """It is mended, until it serves again."""
    RECOVERY = "recovery"
    """It serves; clients come back, until an add is acknowledged."""
    SETTLE = "settle"
    """No more is added; stalled jobs come to a worker again, and all are processed."""
    SURVEY = "survey"
    """What Redis holds of all jobs is read."""
