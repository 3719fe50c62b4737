"""What a drill's file says of its fault: its kind, and the options of that kind.

The bounds keep a slip from filling a machine's memory or days of it: beyond them nothing is meant.
"""

from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
"""How often, or how many."""

Bytes = Annotated[int, msgspec.Meta(ge=1, le=1 << 24)]
"""Of the end of a file; increments of drills are smaller."""

Memory = Annotated[int, msgspec.Meta(ge=16 << 20, le=1 << 32)]
"""Bytes that a server gets along with."""

DiskSize = Annotated[int, msgspec.Meta(ge=16, le=1024)]
"""MiB; such a disk is in the machine's memory."""

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=600_000)]

Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600)]

Part = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """One kind of fault; its tag is the word in the file."""
