"""Which database commands behind a gap are for, where SELECT may have been lost in it."""

import re
from collections.abc import Iterable

_SELECT = re.compile(rb"\$6\r\n(?i:SELECT)\r\n\$[0-9]{1,2}\r\n([0-9]{1,2})\r\n")
MOST_KEYS = 200_000
"""So many families of keys are remembered at most."""


def selected(text: bytes) -> set[int]:
    """Give each database that the bytes of a file select, damaged parts too."""
    return {int(found[1]) for found in _SELECT.finditer(text)}


class Databases:
    """Which keys were seen in which database."""

    def __init__(self, seen: Iterable[int]) -> None:
        self._seen = frozenset(seen) or frozenset({0})
        self._of: dict[bytes, int] = {}

    @property
    def only(self) -> int | None:
        """The database, where there is but one."""
        return next(iter(self._seen)) if len(self._seen) == 1 else None

    def learn(self, key: bytes, db: int) -> None:
        """Remember that a key is in a database."""
        family = _family(key)
        if self._of.setdefault(family, db) != db and self._of[family] >= 0:
            self._of[family] = -1  # in several: it tells nothing
        elif len(self._of) > MOST_KEYS:
            self._of.pop(family)

    def infer(self, keys: Iterable[bytes], following: int | None) -> int | None:
        """Give the database that commands with these keys are for; None: it cannot be known.

        Args:
            keys: Of all commands from the gap to the next SELECT.
            following: The database that is selected behind them: a server selects only another.
        """
        if self.only is not None:
            return self.only
        known = {db for key in keys if (db := self._of.get(_family(key), -1)) >= 0}
        if len(known) == 1:
            return known.pop()
        left = self._seen - {following}
        if not known and following is not None and len(left) == 1:
            return next(iter(left))
        return None


def _family(key: bytes) -> bytes:
    """Give what keys of one kind begin with: of a queue's, its name."""
    head = key.split(b":")[:-1][:2]
    return b":".join(head) if head else key
