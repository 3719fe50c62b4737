"""What differs between two states of one object, for people to read before they agree."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sturdis.core.cluster import Manifest
from sturdis.core.units import shortened

SERVERS_OWN = (
    "managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink",
    "generateName", "deletionTimestamp", "deletionGracePeriodSeconds", "finalizers",
)  # fmt: skip
"""Metadata that the API server keeps, and nobody applies."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Annotation of kubectl: the whole object once more, a password in it too."""

NAMING = ("name", "alert", "containerPort", "port", "mountPath", "ip", "key")
"""Fields that tell the items of a list apart, the first that all have."""

LINES_SHOWN = 12
"""Most lines of a text's difference that are shown; the rest is counted."""

SECRET = re.compile(r"pass|auth|secret|token|credential|--user\b|^user ", re.IGNORECASE)
"""What may stand beside a password: in a variable's name, an argument, or a line of a text."""

DIGEST = re.compile(r"[0-9a-f]{40,}")

HIDDEN = "(not shown: it may hold a password)"
NOTHING = "nothing"


@dataclass(frozen=True)
class Change:
    """One field that changes."""

    path: str
    """`spec.template.spec.containers[redis].image`: items of a list by their name."""
    before: str
    after: str
    lines: tuple[str, ...] = ()
    """Of a text of several lines: those that go (`- …`) and those that come (`+ …`)."""

    def __str__(self) -> str:
        if not self.lines:
            return f"{self.path}: {self.before} → {self.after}"
        shown = self.lines[:LINES_SHOWN]
        more = len(self.lines) - len(shown)
        rest = (f"… and {more} more lines",) if more else ()
        return "\n".join((f"{self.path}:", *(f"  {line}" for line in (*shown, *rest))))


def differences(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    """Give every field that is not the same, without what the API server keeps itself."""
    return tuple(_of_values(_stated(before), _stated(after), ""))


def _stated(manifest: Manifest) -> Manifest:
    meta = {key: value for key, value in manifest["metadata"].items() if key not in SERVERS_OWN}
    notes = {
        key: value for key, value in (meta.get("annotations") or {}).items() if key != LAST_APPLIED
    }
    meta = {key: value for key, value in meta.items() if key != "annotations"}
    rest = {key: value for key, value in manifest.items() if key not in {"metadata", "status"}}
    return {"metadata": meta | ({"annotations": notes} if notes else {}), **rest}


def _of_values(before: Any, after: Any, path: str) -> Iterator[Change]:
    if before == after and type(before) is type(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_tables(before, after, path)
    elif _is_list(before) and _is_list(after) and (name_of := _naming((*before, *after))):
        named = [{name_of(item): item for item in items} for items in (before, after)]
        for name in dict.fromkeys((*named[0], *named[1])):
            yield from _of_values(named[0].get(name), named[1].get(name), f"{path}[{name}]")
    elif isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
        yield Change(path, "a text", "another", tuple(_of_texts(before, after)))
    else:
        yield Change(path, _text(before, path), _text(after, path))


def _of_tables(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[Change]:
    hidden = SECRET.search(str(after.get("name", before.get("name", ""))))
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if key == "value" and hidden and old != new:
            yield Change(_below(path, key), HIDDEN, HIDDEN)
        else:
            yield from _of_values(old, new, _below(path, key))


def _below(path: str, key: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]+", key):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _naming(items: Sequence[Any]) -> Callable[[Any], str] | None:
    """Give what tells items apart; None: nothing does."""
    if not items or not all(isinstance(item, Mapping) for item in items):
        return None
    if all("name" in item.get("metadata", {}) for item in items):
        return lambda item: str(item["metadata"]["name"])
    key = next((key for key in NAMING if all(key in item for item in items)), None)
    return None if key is None else lambda item: str(item[key])


def _of_texts(before: str, after: str) -> Iterator[str]:
    compared = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    for line in list(compared)[2:]:
        if not line.startswith("@@"):
            text = HIDDEN if SECRET.search(line[1:]) and line[1:2] != "#" else line[1:]
            yield shortened(f"{line[0]} {text}", 160)


def _text(value: Any, path: str) -> str:
    if value is None:
        return NOTHING
    words = _words(value)
    if isinstance(value, str) and DIGEST.fullmatch(value):
        return f"{value[:12]}…"
    may_hold_one = path.startswith(("spec.template", "data", "metadata.annotations"))
    return HIDDEN if may_hold_one and SECRET.search(words) else shortened(words, 120)


def _words(value: Any) -> str:
    """Write a value in one line."""
    if isinstance(value, str):
        return value if value and value == value.strip() and "\n" not in value else repr(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_words(one)}" for key, one in value.items()) + "}"
    if _is_list(value):
        return "[" + ", ".join(map(_words, value)) + "]"
    return str(value)
