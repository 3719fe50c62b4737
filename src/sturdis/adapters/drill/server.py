"""A server on this machine that a drill kills, and something else, such as `up`, starts again."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from sturdis.adapters.drill import survey, undo_steps
from sturdis.adapters.drill.looks import Looks
from sturdis.adapters.redis.kept_link import KeptLink
from sturdis.adapters.redis.link import Link
from sturdis.core import info as infos
from sturdis.core.address import Address
from sturdis.core.drill.events import Killed, Served, Survey
from sturdis.core.errors import DrillError, SturdisError

POLL_SECONDS = 0.02
"""How often is looked whether the server serves again."""

Own = Callable[[], int | None]
"""Gives the process that whoever started the server says it is, as it is now; None: nobody does."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> int:
        """Give the time in milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def wait(self, seconds: float) -> None:
        """Let so much time pass."""
        threading.Event().wait(seconds)


CLOCK = SystemClock()


class LocalServer(AbstractContextManager["LocalServer"]):
    """The server that answers at `address`, a process of this machine; left alone at the end.

    Args:
        address: Where it answers.
        own: Says which process it is. INFO alone would let whatever answers there, through a tunnel
            or from a container, name a process of this machine that is killed then.

    Raises:
        DrillError: `drill.not_served`: it does not serve now. `drill.not_ours`: another one does.
    """

    def __init__(self, address: Address, own: Own) -> None:
        self._address = address
        self._own = own
        self._link = KeptLink(address)
        self._pid = 0
        self._started = ""
        self._pid = self.wait_until_served(0, POLL_SECONDS).pid

    def kill(self, number: int) -> Killed:
        """End its process with SIGKILL, and tell what the last look at its fsyncs saw.

        Raises:
            DrillError: `drill.not_served`: it had ended by itself. `drill.not_ours`: whoever
                started it does not say any more that it is this process.
        """
        if int(self.info().get("process_id", self._pid)) != self._pid:
            raise _not_served(f"another process of it served before kill {number}")
        looks = Looks(self._address)
        at = CLOCK.now()
        if undo_steps.started(self._pid) != self._started:
            raise _not_served(f"it had ended by itself before kill {number}")
        if self._own() != self._pid:
            raise _not_ours(self._address, self._pid)
        try:
            os.kill(self._pid, signal.SIGKILL)
        except ProcessLookupError as error:
            raise _not_served(f"it had ended by itself before kill {number}") from error
        seen = looks.last()
        return Killed(at, number, self._pid, seen.delayed, seen.pending, late_fsyncs=seen.late)

    @property
    def pid(self) -> int:
        """Its process, as last seen."""
        return self._pid

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def __exit__(self, *_error: object) -> None:
        self.close()

    def info(self) -> Mapping[str, str]:
        """Read INFO; empty: the server does not answer with it."""
        try:
            (reply,) = self._link.call_all([("INFO",)])
        except SturdisError:
            return {}
        return infos.parse(reply.decode(errors="replace")) if isinstance(reply, bytes) else {}

    def wait_until_served(self, number: int, seconds: float) -> Served:
        """Return when another process than the one before answers, and has loaded its data.

        Raises:
            DrillError: `drill.not_served`: none did within `seconds`. `drill.not_ours`: one did,
                and it is not the one that was started.
        """
        deadline = time.monotonic() + seconds
        while True:
            info = self.info()
            pid = int(info.get("process_id", self._pid))
            serves = pid != self._pid and info.get("loading") == "0"
            if serves and self._own() == pid and (started := undo_steps.started(pid)):
                self._pid, self._started = pid, started
                return Served(CLOCK.now(), number, pid)
            if time.monotonic() > deadline:
                if serves:
                    raise _not_ours(self._address, pid)
                raise _not_served(f"not within {seconds:.0f} s after kill {number}")
            CLOCK.wait(POLL_SECONDS)


class DrillQueues:
    """The queues of a drill, seen from outside BullMQ."""

    def __init__(self, address: Address, prefix: str, queues: Sequence[str]) -> None:
        self._address = address
        self._prefix = prefix
        self._queues = queues

    def pending(self) -> int:
        """Count the jobs that are still to be done."""
        with Link(self._address) as link:
            return survey.pending(link, self._prefix, self._queues)

    def survey(self) -> Survey:
        """Read all jobs."""
        return survey.take(self._address, self._prefix, self._queues)


def _not_served(when: str) -> DrillError:
    return DrillError(
        "drill.not_served",
        f"the server did not serve as the drill needs: {when}",
        why="INFO has to be answered, by another process after each kill and by no other before",
        do="read the server's log; `sturdis up` keeps it in its data folder",
    )


def _not_ours(address: Address, pid: int) -> DrillError:
    return DrillError(
        "drill.not_ours",
        f"the server at {address} is not proven to be the one that may be killed",
        why=f"it calls itself process {pid}, and whoever started it here does not",
        do="look what answers there; sturdis up --drills    starts one that drills may kill",
    )
