"""Where an object in a cluster is not what it was meant to be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from sturdis.core.units import shortened

ABSENT = "nothing"
"""How a field that is not there is shown."""

CLOSED = frozenset({"data", "limits", "matchLabels", "nodeSelector", "requests", "selector"})
"""Mappings to which an entry more is a change: nobody but who writes the object fills them in."""


@dataclass(frozen=True)
class Difference:
    """One field that is not as it was meant to be."""

    path: str
    """As kubectl explain writes it, list items by their name: `spec.ports[redis].port`."""
    wanted: str
    live: str

    def __str__(self) -> str:
        return f"{self.path} {self.live}, not {self.wanted}"


def differences(wanted: Any, live: Any, path: str = "") -> Iterator[Difference]:
    """Give each field of `wanted` that `live` has not, or has otherwise, in `wanted`'s order.

    What `live` has beside, the API server or another controller filled in; but lists, and mappings
    such as selectors, have all their items from `wanted`. An empty value is the same as none, which
    is how the API server keeps it.
    """
    if not wanted and not live and not (_is_number(wanted) and _is_number(live)):
        return
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for key, value in wanted.items():
            below = f"{path}.{key}" if path else key
            yield from differences(value, live.get(key), below)
        if path.rpartition(".")[2] in CLOSED:
            for key in live.keys() - wanted.keys():
                yield Difference(f"{path}.{key}", ABSENT, _text(live[key]))
    elif isinstance(wanted, Sequence) and not isinstance(wanted, str) and isinstance(live, list):
        yield from _of_lists(wanted, live, path)
    elif wanted != live:
        yield Difference(path, *_shown(wanted, live))


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _of_lists(wanted: Sequence[Any], live: Sequence[Any], path: str) -> Iterator[Difference]:
    if _are_named(wanted) and _are_named(live):
        by_name = {item["name"]: item for item in live}
        for item in wanted:
            yield from differences(item, by_name.pop(item["name"], None), f"{path}[{item['name']}]")
        for name in by_name:
            yield Difference(f"{path}[{name}]", ABSENT, "is there")
        return
    for index, (one, other) in enumerate(zip_longest(wanted, live)):
        place = f"{path}[{index}]"
        if index < len(wanted):
            yield from differences(one, other, place)
        else:
            yield Difference(place, ABSENT, _text(other))


def _are_named(items: Sequence[Any]) -> bool:
    """Tell whether every item has a name, as containers and ports do, and each its own."""
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _shown(wanted: Any, live: Any) -> tuple[str, str]:
    """Give both values in few words: of texts of several lines the first that the other has not.

    Lines that begin with # count only where nothing else differs: they explain the others.
    """
    if isinstance(wanted, str) and isinstance(live, str) and "\n" in wanted:
        return _first_line(wanted, live), _first_line(live, wanted)
    return _text(wanted), _text(live)


def _first_line(text: str, other: str) -> str:
    there = set(other.splitlines())
    own = [line for line in text.splitlines() if line not in there]
    telling = [line for line in own if not line.startswith("#")]
    return next(map(_text, telling or own), ABSENT)


def _text(value: Any) -> str:
    return ABSENT if value is None else shortened(repr(value) if value == "" else str(value))
