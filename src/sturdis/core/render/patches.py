"""What differs between two objects, as the JSON patch (RFC 6902) that makes one of the other."""

from collections.abc import Iterator
from typing import Any

Operation = dict[str, Any]


def patch(old: Any, new: Any) -> list[Operation]:
    """Give the operations that turn `old` into `new`: none where they are equal.

    Lists of one length are compared item by item; others are replaced whole.
    """
    return list(_operations(old, new, ""))


def _operations(old: Any, new: Any, path: str) -> Iterator[Operation]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old:
            if key not in new:
                yield {"op": "remove", "path": _below(path, key)}
        for key, value in new.items():
            if key in old:
                yield from _operations(old[key], value, _below(path, key))
            else:
                yield {"op": "add", "path": _below(path, key), "value": value}
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _operations(before, after, _below(path, str(position)))
    elif type(old) is not type(new) or old != new:
        yield {"op": "replace", "path": path, "value": new}


def _below(path: str, key: str) -> str:
    return f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
