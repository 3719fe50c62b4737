"""What a damage to the append-only file took: bytes, and the jobs that they name."""

import re

from sturdis.core.aof.layout import EXEC
from sturdis.core.aof.scan import scan
from sturdis.core.drill.events import Destroyed

_JOB = re.compile(rb'"uuid" ?: ?"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')
"""A job's UUID in its data, as JSON of either language has it."""


def jobs_in(content: bytes) -> tuple[str, ...]:
    """Give the UUIDs of the jobs whose data is in these bytes."""
    return tuple(sorted({found.decode() for found in _JOB.findall(content)}))


def destroyed(at: int, number: int, content: bytes) -> Destroyed:
    """Say that these bytes are gone, at `at` (ms since 1970), in round `number`."""
    return Destroyed(at, number, len(content), jobs_in(content))


def last_end(content: bytes) -> int:
    """Give where the last whole unit ends, also behind an earlier damage that nobody mended.

    It is looked for behind the last transaction; where the rest is whole this is its safe end.
    """
    behind = content.rfind(EXEC) + len(EXEC) if EXEC in content else 0
    return behind + scan([content[behind:]]).safe_end
