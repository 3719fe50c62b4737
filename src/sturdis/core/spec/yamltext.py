"""A sturdis.yaml's text to plain values whose lines are known, or to what YAML would hide.

YAML reads more into a text than a spec can mean: `no` is false, `010` is eight, `1:30` is ninety,
of two equal keys the last one wins, and ten lines of aliases expand to gigabytes. Each is refused
with its line, in time that grows with the length of the text alone; docs/adr/0004 and 0022.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

MAX_BYTES = 64 << 10
"""Longest spec that is read, in bytes; one with every key and its comment has 6 KiB."""

DEEPEST = 16
"""Deepest nesting that is read; a spec has five levels."""

MOST_DIGITS = 19
"""Digits of the largest number that 64 bits hold."""

Path = tuple[str | int, ...]
"""Where a value stands: the keys, and positions in lists, that lead to it."""


def dotted(path: Path) -> str:
    """Write a path as people do: monitoring.exporter.port."""
    return ".".join(map(str, path))


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a spec: where (line from 1), and what in one line."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


@dataclass(frozen=True)
class Text:
    """What a text says: the plain value, and the node that knows its lines."""

    plain: Any
    node: yaml.Node | None = None

    def line(self, path: Path, *, key: bool = False) -> int:
        """Give the line, from 1, of the value at `path`, or of its key; else of what is around."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                of_key, of_value = self._lines[path[:length]]
                return of_key if key and length == len(path) else of_value
        return _first_line(self.node) if self.node else 1

    @cached_property
    def _lines(self) -> Mapping[Path, tuple[int, int]]:
        """Lines of key and value by path."""
        return {} if self.node is None else dict(_lines(self.node, ()))


def _lines(node: yaml.Node, path: Path) -> Iterator[tuple[Path, tuple[int, int]]]:
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield (*path, position), (_first_line(item), _first_line(item))
            yield from _lines(item, (*path, position))
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            nothing = value.start_mark == value.end_mark  # it would stand where the next key does
            yield (*path, key.value), (_first_line(key), _first_line(key if nothing else value))
            yield from _lines(value, (*path, key.value))


def read(text: str, kind: str = "spec") -> tuple[Text, list[Problem]]:
    """Give what `text` says, or what keeps it from being read; `kind` is what it should be."""
    if len(text) > MAX_BYTES:
        return Text(None), [Problem(1, f"longer than {MAX_BYTES >> 10} KiB, which no {kind} is")]
    try:
        if problem := _unreadable_event(text, kind):
            return Text(None), [problem]
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        problems = list(_node_problems(node)) if node else []
        plain = loader.construct_document(node) if node and not problems else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return Text(None), [Problem(mark.line + 1 if mark else 1, _unreadable(error, kind))]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"not a {kind} in YAML: unacceptable character U+{ord(text[error.position]):04X}"
        return Text(None), [Problem(line, what)]
    else:
        return Text({} if plain is None and not problems else plain, node), problems


def _unreadable(error: yaml.MarkedYAMLError, kind: str) -> str:
    reason = error.problem or error.context or "it cannot be read"
    if "'\\t'" in reason:
        return f"not a {kind} in YAML: a tab stands where YAML wants spaces"
    if reason == "but found another document":
        return f"not a {kind} in YAML: but found another document; a {kind} is one"
    return f"not a {kind} in YAML: {reason}"


def _unreadable_event(text: str, kind: str) -> Problem | None:
    """Find what must be known before the text is taken apart: it could cost time or memory."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            return Problem(line, "aliases are not understood: write it out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            return Problem(line, f"not a {kind} in YAML: nested too deeply")
    return None


def _node_problems(node: yaml.Node) -> Iterator[Problem]:
    """Find keys that are no plain words or stand twice, of which YAML would keep the last."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _node_problems(item)
    if what := _value_problem(node):
        yield Problem(_first_line(node), what)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = _first_line(key)
        if what := _key_problem(key):
            yield Problem(line, what)
        elif key.value in seen:
            yield Problem(line, f'"{key.value}" stands twice, first in line {seen[key.value]}')
        else:
            seen[key.value] = line
        yield from _node_problems(value)


def _key_problem(key: yaml.Node) -> str:
    if key.tag == _TAG + "merge":
        return "merge keys (<<) are not understood: write it out"
    if not isinstance(key, yaml.ScalarNode) or key.tag != _TAG + "str":
        return "a key must be a plain word"
    return _unprintable(key.value)


def _value_problem(node: yaml.Node) -> str:
    """Say what keeps a value from meaning what it looks like; empty: nothing does."""
    kind = node.tag.removeprefix(_TAG)
    if not isinstance(node, yaml.ScalarNode):
        return "" if kind in ("map", "seq") else f"a {kind} is no value here"
    if what := _unprintable(node.value):
        return what
    shown = node.value if len(node.value) <= _LONGEST_SHOWN else node.value[:_LONGEST_SHOWN] + "…"
    if kind not in _PLAIN_KINDS:
        return f"YAML takes {shown!r} for a {kind}, which is no value here: quote it"
    if kind != "str" and node.tag != _tag_of_plain(node.value):
        return f"{shown!r} is no {kind}, whatever its tag says: leave the tag out"
    return _number_problem(kind, node.value, shown)


def _tag_of_plain(value: str) -> str:
    """Say what YAML takes a bare value for; a tag such as !!float may say otherwise."""
    resolver = yaml.resolver.Resolver()
    return str(resolver.resolve(yaml.ScalarNode, value, (True, False)))  # type: ignore[no-untyped-call]


def _number_problem(kind: str, value: str, shown: str) -> str:
    if (kind == "int" and not _DECIMAL.fullmatch(value)) or (kind == "float" and ":" in value):
        return f"YAML takes {shown} for a number that is not decimal: quote it, or write it out"
    if kind == "int" and len(value.lstrip("+-")) > MOST_DIGITS:
        return f"{shown} is more than 64 bits can count"
    return ""


def _unprintable(text: str) -> str:
    """Say which character of a key or value nobody sees; none of them has one."""
    for char in text:
        if char in "\r\n\x85\u2028\u2029":
            return "it holds a line break"
        if "\ud800" <= char <= "\udfff":
            return "it holds half of a character"
        if not char.isprintable():
            return f"it holds U+{ord(char):04X}, a character that nobody sees"
    return ""


def _first_line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


_TAG = "tag:yaml.org,2002:"
_PLAIN_KINDS = ("bool", "float", "int", "null", "str")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_LONGEST_SHOWN = 60
