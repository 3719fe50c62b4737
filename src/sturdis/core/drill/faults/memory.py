"""Faults of the server's memory. Sizes are in bytes."""

from typing import Annotated

import msgspec

from sturdis.core.drill.faults.options import Memory, Options, Part


class MemoryFull(Options, frozen=True, tag="memory-full"):
    """`maxmemory` is what is used already: writes that need memory are refused."""

    room: Annotated[int, msgspec.Meta(ge=0, le=1 << 32)] = 0
    """So much may still be written."""


class MemoryKernel(Options, frozen=True, tag="memory-kernel"):
    """Filled to `maxmemory` and rewritten under writes, in a limit of the kernel's.

    `maxmemory` is the part of the limit that a deployment gives it.
    """

    limit: Memory = 64 << 20
    """The deployment's least; the kernel ends what uses more."""
    churn: Part = 0.4
    """The part of the data that is written anew while a rewrite reads it: memory that both then
    hold. From 0.75 on the kernel ends Valkey 8.1 and 9.1; docs/adr/0049."""
