"""The command line: one thin file per verb, one error boundary."""
