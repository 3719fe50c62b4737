"""Defects of servers that were measured or are on record, by release.

A row stays when its defect is fixed: older releases keep running.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sturdis.core.servers import Product, Version


@dataclass(frozen=True)
class Defect:
    """One defect, in the releases of one product."""

    product: Product
    first: Version
    """First release it is known in."""
    fixed: Version | None
    """First release without it; None: not fixed when this was written."""
    what: str
    do: str
    """What to do about it."""
    reference: str
    """Where it is recorded: project and number of its tracker."""
    costs_jobs: bool
    """Whether acknowledged jobs can be lost by it as BullMQ uses the server."""
    guarded: bool = False
    """Whether the guard that Sturdis runs before each start closes it."""


_TORN = "an append-only file torn inside MULTI loses later writes at the second restart"
_START_GUARDED = "start it through Sturdis, which cuts a torn end before the server reads it"

DEFECTS: Sequence[Defect] = (
    Defect(
        "redis", (7, 0, 0), None, _TORN, _START_GUARDED, "valkey#4342",
        costs_jobs=True, guarded=True,
    ),
    Defect(
        "valkey", (7, 2, 5), (9, 1, 2), _TORN, _START_GUARDED, "valkey#4342",
        costs_jobs=True, guarded=True,
    ),
    Defect(
        "valkey", (8, 0, 1), None,
        "WAITAOF answers before the fsync", "use appendfsync always where a write must be on disk",
        "redis#13793", costs_jobs=False,
    ),
    Defect(
        "valkey", (9, 0, 0), None,
        "its check-aof rejects the base that it writes, and --fix empties it",
        "never run valkey-check-aof --fix on the manifest", "valkey#4739", costs_jobs=False,
    ),
)  # fmt: skip
"""All rows. Measured on Redis 7.0.15 and 8.0.2, Valkey 8.0.1 (WAITAOF), 8.1.8 and 9.1.2."""


def of(product: Product, version: Version) -> tuple[Defect, ...]:
    """Give the known defects of a release."""
    return tuple(
        one
        for one in DEFECTS
        if one.product == product
        and one.first <= version
        and (one.fixed is None or version < one.fixed)
    )
