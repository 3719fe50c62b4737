"""Ids of jobs that are numbers: those that BullMQ's counter gave, and others."""

from collections.abc import Iterable
from typing import NamedTuple

ID_DIGITS = 13
"""Ids of more digits are not from a counter. BullMQ's Lua writes numbers with `%.14g`: from 10^14
on one text stands for many ids. Below 10^13 there is room for nine times as many jobs as ever were.
"""

LONGEST_ID = 20
"""Digits of the longest number that is told of as an id: 2^64 has as many."""


class Numbers(NamedTuple):
    """The highest of some ids that are numbers; 0: there is none."""

    given: int
    """Of those that a counter may have given."""
    beyond: int
    """Of those that are too high for it: people's own, or made of damaged bytes."""

    @classmethod
    def of(cls, ids: Iterable[bytes]) -> "Numbers":
        """Find them."""
        numbers = [int(one) for one in ids if one.isdigit() and len(one) <= LONGEST_ID]
        bound = 10**ID_DIGITS
        return cls(
            max((one for one in numbers if one < bound), default=0),
            max((one for one in numbers if one >= bound), default=0),
        )
