"""Faults of a deployment in a cluster. Times are in seconds."""

from sturdis.core.drill.faults.options import Options, Seconds


class PodDelete(Options, frozen=True, tag="pod-delete"):
    """The server's pod is deleted through the API server; its StatefulSet makes the next."""


class NodeCrash(Options, frozen=True, tag="node-crash"):
    """The node of the server's pod loses its power, is declared off, and comes back."""

    silent_within: Seconds = 120.0
    """Longest wait until the API server calls it silent: Kubernetes says 50 s."""
