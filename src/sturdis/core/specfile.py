"""A `sturdis.yaml`'s text to a `Spec`, or to every problem in it with its line."""

import difflib
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import msgspec
import yaml

from sturdis.core import spec as specs
from sturdis.core import units
from sturdis.core.errors import SpecError

MAX_BYTES = 1 << 20
"""Longest spec that is read, in bytes; a written one has a few hundred."""

MOST_PROBLEMS = 20
"""How many problems of a kind are told at once; nobody reads more."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a spec: where (line from 1), and what in one line."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


def parse(text: str, *, source: str) -> specs.Spec:
    """Read `text`, the content of the file that `source` names.

    Raises:
        SpecError: `spec.invalid`, naming all problems at once, each with its line.
    """
    node, plain, problems = _read_yaml(text)
    if not problems:
        try:
            spec = msgspec.convert(plain, specs.Spec)
        except msgspec.ValidationError as refusal:
            # what a schema lets pass, such as 9121.0 for a number, has the refusal alone
            problems = sorted(islice(_explain(plain, node), MOST_PROBLEMS)) or [
                Problem(1, str(refusal))
            ]
        else:
            problems = [Problem(_line(node, path), what) for path, what in _rules(spec)]
            if not problems:
                return spec
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise SpecError(
        "spec.invalid",
        f"{count} in {source}",
        why="\n".join(map(str, problems)),
        do=f"mend {source}; `sturdis spec show --spec /dev/null` prints every key with its meaning",
    )


def schema() -> dict[str, Any]:
    """Give the JSON Schema of a `sturdis.yaml`."""
    return msgspec.json.schema(specs.Spec)


def annotated(spec: specs.Spec) -> str:
    """Write `spec` as YAML, each key below a comment with its meaning."""
    return "\n".join(_annotated(spec, spec, indent=""))


def _annotated(spec: specs.Spec, section: msgspec.Struct, indent: str) -> Iterator[str]:
    kind = msgspec.inspect.type_info(type(section))
    for field in cast("msgspec.inspect.StructType", kind).fields:
        value = getattr(section, field.name)
        meaning = cast("msgspec.inspect.Metadata", field.type).extra_json_schema or {}
        for line in textwrap.wrap(str(meaning.get("description", "")), 90 - len(indent)):
            yield f"{indent}# {line}"
        if isinstance(value, msgspec.Struct):
            yield f"{indent}{field.encode_name}:"
            yield from _annotated(spec, value, indent + "  ")
        else:
            derived = f"  # {_DERIVED[field.name](spec)}" if value is None else ""
            yield f"{indent}{field.encode_name}: {json.dumps(value)}{derived}"


_DERIVED: Mapping[str, Callable[[specs.Spec], str]] = {
    "maxmemory": lambda spec: f"comes to {units.human_bytes(specs.maxmemory(spec))}",
}
"""What a key comes to where it is not written."""


def _read_yaml(text: str) -> tuple[yaml.Node | None, Any, list[Problem]]:
    """Give the nodes (for their lines), the plain value, and what keeps them from being read."""
    line = 1
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) and event.start_mark:
                line = event.start_mark.line + 1
                return None, None, [Problem(line, "aliases are not understood: write it out")]
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        problems = list(_node_problems(node)) if node else []
        plain = loader.construct_document(node) if node and not problems else None
        return node, {} if plain is None else plain, problems  # noqa: TRY300  the handlers below answer for all of it
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        reason = error.problem or error.context
    except (yaml.YAMLError, ValueError) as error:  # unreadable characters; 9999-99-99 as a date
        reason = str(error).splitlines()[0]
    except RecursionError:
        reason = "nested too deeply"
    return None, None, [Problem(line, f"not a spec in YAML: {reason}")]


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
        if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
            yield Problem(line, "a key must be a plain word")
        elif key.value in seen:
            yield Problem(line, f'"{key.value}" stands twice, first in line {seen[key.value]}')
        else:
            seen[key.value] = line
        yield from _node_problems(value)


def _value_problem(node: yaml.Node) -> str:
    """Say what keeps a value from meaning what it looks like; empty: nothing does."""
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if not isinstance(node, yaml.ScalarNode):
        return "" if kind in ("map", "seq") else f"a {kind} is no value here"
    if not node.value.isprintable() and any("\ud800" <= char <= "\udfff" for char in node.value):
        return "it holds half of a character"
    if kind not in _PLAIN_KINDS:
        return f"YAML takes {node.value!r} for a {kind}, which is no value here: quote it"
    if kind == "int" and not _DECIMAL.fullmatch(node.value):
        return (
            f"YAML takes {node.value} for a number that is not decimal: quote it, or write it out"
        )
    return ""


_PLAIN_KINDS = ("bool", "float", "int", "null", "str")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")


def _first_line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _explain(plain: object, node: yaml.Node | None) -> Iterator[Problem]:
    """Turn the first refusal into all of them: the schema finds them all, msgspec one."""
    import jsonschema_rs  # noqa: PLC0415  42 ms that only a wrong spec pays

    for error in jsonschema_rs.validator_for(schema()).iter_errors(plain):
        path = tuple(error.instance_path)
        if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
            for key in error.kind.unexpected:
                yield Problem(_line(node, (*path, key), key=True), _unknown_key(path, key))
        else:
            yield Problem(_line(node, path), _dotted(path) + _wrong_value(plain, path, error))


def _unknown_key(path: Path, key: str) -> str:
    known = sorted(_fields_at(path))
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f'did you mean "{close[0]}"?' if close else f"known here: {', '.join(known)}"
    return f'{_dotted(path)}unknown key "{key}"; {hint}'


def _fields_at(path: Path) -> Sequence[str]:
    kind: Any = msgspec.inspect.type_info(specs.Spec)
    for part in path:
        kind = next(field.type for field in kind.fields if field.encode_name == part)
        kind = kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind
    return [field.encode_name for field in kind.fields]


def _wrong_value(plain: object, path: Path, error: Any) -> str:
    value: Any = plain
    for part in path:
        value = value[part]
    if isinstance(value, bool) and path:
        hint = "YAML reads a bare yes, no, on or off as true or false: quote the word"
        return f"{error.message}; {hint}"
    if error.kind.name == "anyOf":  # the one union of the spec is `specs.Bytes`
        return f"{value!r} is not a quantity of bytes such as 512Mi or 1.5Gi"
    return str(error.message)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path)) + ": " if path else ""


def _line(node: yaml.Node | None, path: Path, *, key: bool = False) -> int:
    """Give the line, from 1, of the value at `path`, or of its key."""
    line = _first_line(node) if node else 1
    for depth, part in enumerate(path, start=1):
        if isinstance(node, yaml.MappingNode):
            pairs: Mapping[str, tuple[yaml.Node, yaml.Node]] = {
                name.value: (name, value) for name, value in node.value
            }
            if part not in pairs:
                return line
            name, node = pairs[str(part)]
            line = _first_line(name if key and depth == len(path) else node)
    return line


def _rules(spec: specs.Spec) -> Iterator[tuple[Path, str]]:
    """Find values that their form allows and their meaning does not."""
    if spec.name.endswith("\n"):  # which a pattern's end does not see
        yield ("name",), "name: it ends with a line break"
    readable = True
    for key, written in (("limit", spec.memory.limit), ("maxmemory", spec.memory.maxmemory)):
        try:
            units.parse_bytes(written if written is not None else 0)
        except ValueError as error:
            readable = False
            yield ("memory", key), f"memory.{key}: {error}"
    if not readable:
        return
    where = "limit" if spec.memory.maxmemory is None else "maxmemory"
    data, limit = specs.maxmemory(spec), specs.memory_limit(spec)
    if data < 1:
        yield (
            ("memory", where),
            f"memory.{where}: maxmemory would be 0, which means no limit",
        )
    if data > limit:
        yield ("memory", where), f"memory.maxmemory: {data} bytes are above the limit of {limit}"
