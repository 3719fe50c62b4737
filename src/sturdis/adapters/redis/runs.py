"""The register of `verify`'s runs on a server: it lets each run remove what a killed one left."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import uuid4

from sturdis.adapters import bullmq_job
from sturdis.adapters.redis import trials
from sturdis.adapters.redis.link import Link
from sturdis.core import runs
from sturdis.core.errors import SturdisError
from sturdis.core.replies import ErrorReply
from sturdis.core.runs import REGISTER, Run

SWEPT = 100
"""About how many registered runs are looked at; the next run looks at those that remain."""


@contextmanager
def registered(connection: Link) -> Iterator[str]:
    """Give the mark of a new run, below which it writes until the block ends.

    What earlier runs left is removed first. The run is on the register meanwhile, with this
    connection, which must stay open; at the end its keys are removed. Where the server refuses
    that, the run goes on without: its checks say what the server refuses.
    """
    run = _new(connection)
    if run is None:
        yield f"{runs.PREFIX}:{uuid4()}"
        return
    _sweep(connection, run)
    connection.call("HSET", REGISTER, run.uuid, run.entry)
    try:
        yield run.mark
    finally:
        with suppress(SturdisError):
            _remove(connection, run)


def _new(connection: Link) -> Run | None:
    client, time = connection.call("CLIENT", "ID"), connection.call("TIME")
    if isinstance(client, int) and isinstance(time, Sequence) and isinstance(time[0], bytes):
        return Run(str(uuid4()), client, int(time[0]))
    return None


def _sweep(connection: Link, own: Run) -> None:
    reply = connection.call("HSCAN", REGISTER, 0, "COUNT", SWEPT)
    if not isinstance(reply, tuple) or not reply[1]:
        return
    words = [word.decode(errors="replace") for word in reply[1] if isinstance(word, bytes)]
    found = runs.read(zip(words[::2], words[1::2], strict=True))
    connected = _connected(connection, found)
    for run in runs.over(found, now=own.began, connected=connected):
        _remove(connection, run)


def _connected(connection: Link, found: Sequence[Run]) -> frozenset[int] | None:
    """Tell which connections of the runs `found` stand; None: the server does not say."""
    listed = connection.call("CLIENT", "LIST", "ID", *(run.client for run in found))
    if not isinstance(listed, bytes):
        return None
    return frozenset(int(number) for number in re.findall(rb"(?m)^id=(\d+) ", listed))


def _remove(connection: Link, run: Run) -> None:
    """Remove the keys of a run by their names, then the run from the register."""
    for command in ("UNLINK", "DEL"):  # an ACL may know of the older one alone
        if not isinstance(connection.call(command, *_left_by(run)), ErrorReply):
            connection.call("HDEL", REGISTER, run.uuid)
            return


def _left_by(run: Run) -> tuple[str, ...]:
    return (*trials.left_by(run.mark), *bullmq_job.left_by(run.mark))
