"""A refusal of the API server as a fact that was not seen."""

from sturdis.core.errors import SturdisError
from sturdis.core.facts import Unseen


def because(error: SturdisError) -> Unseen:
    """Say why something was not seen; what is forbidden names the verb, and needs no more words."""
    if error.code == "cluster.forbidden":
        return Unseen(error.what)
    return Unseen(f"{error.what}: {error.why}")
