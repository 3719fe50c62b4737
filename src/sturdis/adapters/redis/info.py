"""`INFO` of one server, read over a link that is kept."""

from sturdis.adapters.redis.kept_link import KeptLink
from sturdis.core import info
from sturdis.core.address import Address
from sturdis.core.errors import SturdisError


class InfoSource:
    """Reads `INFO` from `address`; may be shared by threads, which then take turns."""

    def __init__(self, address: Address) -> None:
        self._link = KeptLink(address)

    def read(self) -> dict[str, str] | None:
        """Give the fields of `INFO`, or None when the server does not answer with them."""
        try:
            (reply,) = self._link.call_all([("INFO",)])
        except SturdisError:
            return None
        return info.parse(reply.decode(errors="replace")) if isinstance(reply, bytes) else None
