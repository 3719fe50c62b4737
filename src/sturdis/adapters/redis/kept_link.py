"""A link that is kept, made anew when it breaks, and shared by threads that take turns."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sturdis.core.address import Address
from sturdis.core.errors import SturdisError
from sturdis.core.replies import Command, Reply

if TYPE_CHECKING:
    from sturdis.adapters.redis.link import Link

REPLY_SECONDS = 1.0
"""Longest wait for a reply: Prometheus gives a scrape 10 s."""

TOGETHER = 1_000
"""Most commands in one trip: other clients wait no longer than for these, about 1 ms."""


class KeptLink:
    """Speaks to `address`; connects at the first call.

    A link that broke while nobody used it, as when the server was started again, is made anew and
    the commands are sent once more: they must be such as only read.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._link: Link | None = None
        self._turn = threading.Lock()

    def call_all(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands and give their replies in order.

        Raises:
            TargetError: It cannot be reached, or does not answer.
            AccessError: It does not let us in.
        """
        replies: list[Reply] = []
        for start in range(0, len(commands), TOGETHER):
            with self._turn:
                replies += self._trip(commands[start : start + TOGETHER])
        return replies

    def close(self) -> None:
        """Close the connection, where there is one."""
        with self._turn:
            self._drop()

    def _trip(self, commands: Sequence[Command]) -> Sequence[Reply]:
        from sturdis.adapters.redis.link import Link  # noqa: PLC0415  150 ms, at the first call

        was_kept = self._link is not None
        try:
            if self._link is None:
                self._link = Link(self._address, reply_seconds=REPLY_SECONDS)
            return self._link.call_all(commands)
        except SturdisError as error:
            self._drop()
            if was_kept and error.code == "target.lost":
                return self._trip(commands)
            raise

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = None
