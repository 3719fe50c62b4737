"""The parts of a drill that touch the machine: the log, the load, the survey."""
