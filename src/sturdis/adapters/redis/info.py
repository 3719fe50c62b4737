"""`INFO` of one server, read over a connection that is kept and made anew when it breaks."""

import threading
from typing import TYPE_CHECKING

from sturdis.core import metrics
from sturdis.core.address import Address
from sturdis.core.errors import SturdisError

if TYPE_CHECKING:
    from sturdis.adapters.redis.link import Link

READ_SECONDS = 1.0
"""Longest wait for one `INFO`: Prometheus gives a scrape 10 s."""


class InfoSource:
    """Reads `INFO` from `address`; may be shared by threads, which then take turns."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._link: Link | None = None
        self._turn = threading.Lock()

    def read(self) -> dict[str, str] | None:
        """Give the fields of `INFO`, or None when the server does not answer with them."""
        from sturdis.adapters.redis.link import Link  # noqa: PLC0415  150 ms, at the first scrape

        with self._turn:
            try:
                if self._link is None:
                    self._link = Link(self._address, reply_seconds=READ_SECONDS)
                reply = self._link.call("INFO")
            except SturdisError:
                self._drop()
                return None
            return metrics.parse_info(reply.decode()) if isinstance(reply, bytes) else None

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = None
