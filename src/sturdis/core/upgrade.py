"""From one server image to another: whether the next server reads what the last one has written.

An image says what is in it by its name and tag: `redis:8.0.2`, `HOST/valkey/valkey:9.1.2-alpine`.
Another name, a digest alone, or a tag such as `8` or `stable` says nothing.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import get_args

from sturdis.core import servers
from sturdis.core.servers import Product, Server

_TAG = re.compile(r"v?(?P<major>\d{1,4})\.(?P<minor>\d{1,4})(?:\.(?P<patch>\d{1,4}))?(?:[-_.].*)?")


class Verdict(Enum):
    """What is known of a move."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Move:
    """From one server to another, on the same data."""

    verdict: Verdict
    why: str = ""
    """One line; empty: there is nothing to say."""
    one_way: bool = False
    """Whether the old server could not read what the new one writes."""


def server_of(image: str) -> Server | None:
    """Give the server in an image, as far as its name and tag tell; None: they do not."""
    name, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    product = next((one for one in get_args(Product) if one == name), None)
    match = _TAG.fullmatch(tag)
    if product is None or match is None:
        return None
    version = (int(match["major"]), int(match["minor"]), int(match["patch"] or 0))
    return Server(product, version, image)


def judge(old: str, new: str, *, running: Server | None = None) -> Move:
    """Say whether data of the old image may be given to the new one.

    Args:
        old: Image that the data was last written with.
        new: Image that is to read it.
        running: What the old server says that it is; None: it was not asked, and its tag counts.
    """
    if old == new:
        return Move(Verdict.ALLOWED)
    before, after = running or server_of(old), server_of(new)
    if before is None or after is None:
        unknown = old if before is None else new
        return Move(Verdict.UNKNOWN, f"which server is in {unknown} is not known by its name")
    if not servers.can_read(after, before):
        return Move(Verdict.FORBIDDEN, f"{after} cannot read what {before} has written")
    if servers.can_read(before, after):
        return Move(Verdict.ALLOWED)
    why = f"there is no way back: {before} cannot read what {after} writes"
    return Move(Verdict.ALLOWED, why, one_way=True)
