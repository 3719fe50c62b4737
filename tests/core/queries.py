"""What PromQL asks for, as far as the queries of ours are written."""

import re
from collections.abc import Iterable

_SELECTOR = re.compile(r"([a-z_]+)\{((?:[^\"{}]|\"(?:[^\"\\]|\\.)*\")*)\}")


def selectors(query: str) -> list[tuple[str, str]]:
    """Give each metric with its matchers."""
    return _SELECTOR.findall(query)


def metrics(*queries: str) -> set[str]:
    """Name the metrics that queries ask for."""
    return set(_names(queries))


def _names(queries: Iterable[str]) -> Iterable[str]:
    return (name for query in queries for name, _matchers in selectors(query))
