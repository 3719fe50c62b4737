"""What loads write, read while they write it: a test waits for a thing and not for a time."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator, Sequence
from typing import IO

from sturdis.core.drill import events
from sturdis.core.drill.events import Event


class Followed:
    """The events of some logs, as far as they were written."""

    def __init__(self) -> None:
        self._told: list[Event] = []
        self._changed = threading.Condition()
        self._ended = 0

    @contextlib.contextmanager
    def reading(self, command: Sequence[str]) -> Iterator[None]:
        """Read what a command prints of a log, until the block ends."""
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            reading = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
            reading.start()
            try:
                yield
            finally:
                process.terminate()
                reading.join()

    def count(self, kind: type[Event], *, since: int = 0) -> int:
        """Count the events of a kind, from a moment on (ms since 1970)."""
        with self._changed:
            return self._count(kind, since)

    def wait_for(self, kind: type[Event], count: int, *, since: int = 0) -> None:
        """Return when there are so many events of a kind.

        Raises:
            AssertionError: A log is not read any more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._count(kind, since) >= count)
            assert not self._ended, "a load's log ended"

    def _count(self, kind: type[Event], since: int) -> int:
        return sum(isinstance(event, kind) and event.at >= since for event in self._told)

    def _read(self, lines: IO[bytes]) -> None:
        for line in lines:
            if event := events.decode(line):
                with self._changed:
                    self._told.append(event)
                    self._changed.notify_all()
        with self._changed:
            self._ended += 1
            self._changed.notify_all()
