"""The probe of a pod: it reads the reply to PING, as `up` does. docs/adr/0033."""

from sturdis.core.ports import REDIS_PORT
from sturdis.core.render.scripts.probe import PROBE
from sturdis.core.supervision import limits, replies

KUBELET_MARGIN = 1
"""Seconds between this script's end and the kubelet's own limit for it, limits.PROBE_SECONDS."""


def probe_script(port: int = REDIS_PORT) -> str:
    """Give the text of `probe.sh alive|ready`, POSIX sh, the same bytes for the same port.

    It ends within `limits.PROBE_SECONDS` and prints the reply. Its exit status says:
    0 alive, or ready, as was asked; 2 called wrongly; any other not.
    """
    ready = " ".join(reply.lstrip("+-") for reply in replies.READY)
    return (
        "# Written by sturdis; edit the spec, not this file.\n"
        "# Is the server alive, is it ready? docs/adr/0033 of Sturdis says why it asks so.\n"
        f"port={port}\n"
        f"seconds={round(limits.PROBE_SECONDS) - KUBELET_MARGIN}\n"
        f"ready_replies='{ready}'\n"
        f"{PROBE}"
    )
