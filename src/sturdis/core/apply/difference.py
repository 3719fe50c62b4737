"""What differs between two states of one object, for people to read before they agree."""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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

SECRET = re.compile(
    r"pass|auth|secret|token|credential|--user\b|^\s*user\b|rename-command|://[^/\s]*@",
    re.IGNORECASE,
)
"""What may stand beside a password: in a variable's name, an argument, or a line of a text."""

WRITTEN = ("spec.template", "data", "binaryData", "metadata.annotations")
"""Where people write what they like, a password too."""

HARMLESS = frozenset({
    "image", "imagePullPolicy", "name", "mountPath", "subPath", "protocol", "cpu", "memory",
    "restartPolicy", "dnsPolicy", "claimName", "terminationMessagePolicy",
})  # fmt: skip
"""Keys of a pod whose texts are shown although others wrote them; numbers and flags always are."""

DIGEST = re.compile(r"[0-9a-f]{40,}")

HIDDEN = "(not shown: it may hold a password)"
OF_OTHERS = "(not shown: others wrote it)"
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


def differences(before: Manifest, after: Manifest, *, foreign: bool = False) -> tuple[Change, ...]:
    """Give every field that is not the same, without what the API server keeps itself.

    Args:
        before: The object as it is.
        after: What it would be.
        foreign: Others wrote what is there: of its arguments, variables and texts nothing is shown.
    """
    found = _of_values(_stated(before), _stated(after), "")
    return tuple(_told(*one, foreign=foreign) for one in found)


def _stated(manifest: Manifest) -> Manifest:
    meta = {key: value for key, value in manifest["metadata"].items() if key not in SERVERS_OWN}
    notes = {
        key: value for key, value in (meta.get("annotations") or {}).items() if key != LAST_APPLIED
    }
    meta = {key: value for key, value in meta.items() if key != "annotations"}
    rest = {key: value for key, value in manifest.items() if key not in {"metadata", "status"}}
    return {"metadata": meta | ({"annotations": notes} if notes else {}), **rest}


def _of_values(before: Any, after: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if before == after and type(before) is type(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _of_values(before.get(key), after.get(key), _below(path, key))
    elif _is_list(before) and _is_list(after) and (name_of := _naming((*before, *after))):
        named = [{name_of(item): item for item in items} for items in (before, after)]
        for name in dict.fromkeys((*named[0], *named[1])):
            yield from _of_values(named[0].get(name), named[1].get(name), f"{path}[{name}]")
    else:
        yield path, before, after


def _told(path: str, before: Any, after: Any, *, foreign: bool) -> Change:
    veiled = foreign and path.startswith(WRITTEN)
    key = path.rpartition(".")[2]
    if isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
        lines = _of_texts("" if veiled else before, after)
        gone = (f"- {OF_OTHERS}",) if veiled and before else ()
        return Change(path, "a text", "another", (*gone, *lines))
    if key == "value" and SECRET.search(path):  # of a variable, by its name
        return Change(path, HIDDEN, HIDDEN)
    harmless = HARMLESS if path.startswith("spec.template") else frozenset()
    shown = _veiled(before, key, harmless) if veiled else before
    old = OF_OTHERS if veiled and isinstance(before, str) and shown != before else None
    return Change(path, old or _text(shown, path), _text(after, path))


def _veiled(value: Any, key: str, harmless: Collection[str]) -> Any:
    """Give a value with no text in it but harmless ones."""
    if isinstance(value, Mapping):
        return {inner: _veiled(one, inner, harmless) for inner, one in value.items()}
    if _is_list(value):
        return [_veiled(one, key, harmless) for one in value]
    return value if key in harmless or not isinstance(value, str) else "…"


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
