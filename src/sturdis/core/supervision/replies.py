"""What a reply to PING says about a server; docs/adr/0014."""

READY = ("+PONG", "-MISCONF", "-BUSY")
"""How the replies of a server begin that serves. MISCONF and BUSY are for an alert: a restart would
lose what is in memory, and turning clients away would make an error a hang."""

LOADING = "-LOADING"
"""How the reply of a server begins that reads its data."""


def ready(reply: str) -> bool:
    """Tell whether a server that answered PING so may be used; any answer says that it lives."""
    return reply.startswith(READY)
