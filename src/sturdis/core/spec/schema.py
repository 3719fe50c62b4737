"""The JSON Schema of a sturdis.yaml, and what it says of one in words.

msgspec decides whether a spec has the right form and stops at its first problem; only then the
schema, derived from the same types, finds the others; docs/adr/0004.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from sturdis.core import units
from sturdis.core.spec import Spec, environments, forms, words, yamltext
from sturdis.core.spec.yamltext import Path, Problem, Text

NO_OTHER_POLICY = (
    ": under another the server may remove BullMQ's keys, jobs and locks alike; noeviction alone "
    "keeps queues right"
)
"""Why no other policy is accepted: BullMQ, Going to production."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER = "urn:sturdis:spec"
"""A name, not an address: nothing is fetched."""

MOST_PROBLEMS = 20
"""How many problems of a kind are told at once; nobody reads more."""

WORDS: Mapping[str, str] = {
    forms.SHORT_NAME: "small letters, digits and dashes, a letter first, at most 52 characters",
    forms.DNS_LABEL: "small letters, digits and dashes between them, at most 63 characters",
    forms.DNS_SUBDOMAIN: "small letters, digits, dashes and dots, as Kubernetes names things",
    forms.IMAGE_REFERENCE: "an image as in redis:8.0.5, perhaps with a host before it",
    forms.QUEUE_NAME: "a queue's name without a colon, which BullMQ refuses",
    forms.ONE_WORD: "one word of printable ASCII",
}
"""Pattern to what it asks for."""

LATER: Mapping[str, str] = {
    "archive": "it comes later: this release ships nothing to object storage, and a key that "
    "nothing acts on would look like a copy that is not there",
}
"""Keys of releases to come, and why they are not accepted yet: docs/adr/0022."""


def schema() -> dict[str, Any]:
    """Give the JSON Schema of a sturdis.yaml, Draft 2020-12."""
    head = {"$schema": DIALECT, "$id": IDENTIFIER, "title": "sturdis.yaml"}
    return head | msgspec.json.schema(environments.whole())


def problems(text: Text) -> list[Problem]:
    """Find everything whose form is wrong; empty: `text` has the form of a spec."""
    said = isinstance(text.plain, dict) and environments.KEY in text.plain
    kind = environments.whole() if said else Spec  # the overlays' types cost 4 ms
    try:
        msgspec.convert(text.plain, kind)
    except msgspec.ValidationError as refusal:
        found = sorted(islice(_all(text), MOST_PROBLEMS))
        return found or _passed_by_schema(text) or [Problem(1, str(refusal))]
    return []


def _all(text: Text) -> Iterator[Problem]:
    import jsonschema_rs  # noqa: PLC0415  42 ms that only a wrong spec pays

    kinds = jsonschema_rs.ValidationErrorKind
    for error in jsonschema_rs.validator_for(schema(), mask=_VALUE).iter_errors(text.plain):
        path = tuple(error.instance_path)
        if isinstance(error.kind, kinds.AdditionalProperties):
            for key in error.kind.unexpected:
                yield Problem(text.line((*path, key), key=True), _unknown_key(path, key))
        elif isinstance(error.kind, kinds.PropertyNames):
            key = str(error.kind.error.instance)
            what = f"{_place(path)}{_shown(key)} is no name for one: {WORDS[forms.DNS_LABEL]}"
            yield Problem(text.line((*path, key), key=True), what)
        else:
            yield Problem(text.line(path), _place(path) + _wrong_value(text.plain, path, error))


def _passed_by_schema(text: Text) -> list[Problem]:
    """Find what a schema calls a whole number and msgspec does not: 9121.0."""
    return [
        Problem(text.line(path), f"{_place(path)}{value} is no whole number as written: quote it")
        for path, value in environments.leaves(text.plain)
        if isinstance(value, float)
    ]


def _unknown_key(path: Path, key: str) -> str:
    if key in LATER:
        return f'{_place(path)}"{key}" is not understood yet: {LATER[key]}'
    if path[:1] == (environments.KEY,) and (*path[2:], key) in environments.SAME_EVERYWHERE:
        why = environments.SAME_EVERYWHERE[(*path[2:], key)]
        return f'{_place(path)}"{key}" cannot differ between environments: {why}'
    known = sorted(_schema_at(path)["properties"])
    return f"{_place(path)}unknown key {_shown(key)}; {words.did_you_mean(key, known)}"


def _schema_at(path: Path) -> Mapping[str, Any]:
    """Give what the schema says of the value at `path`."""
    whole = schema()
    here: Any = whole
    for part in (None, *path):
        if isinstance(part, int):
            here = here["items"]
        elif part is not None:
            here = here.get("properties", {}).get(part) or here["additionalProperties"]
        if "$ref" in here:
            here = whole["$defs"][here["$ref"].removeprefix("#/$defs/")]
    return dict(here)


def _wrong_value(plain: object, path: Path, error: Any) -> str:
    value = _at(plain, path)
    wanted = error.kind.types if error.kind.name == "type" else ()
    if not path:
        return f"{_message(error, value)}: a spec is keys and values, such as name: redis"
    if value is None:
        below = "give it keys, write {}" if wanted == ["object"] else "give it a value"
        return f"nothing is written for it: {below}, or leave it out"
    if path[-1:] == ("passwordSecret",):  # whoever takes it for the password has written that
        return f"it names no Secret, and is not repeated here: {WORDS[forms.DNS_SUBDOMAIN]}"
    if isinstance(value, bool):
        hint = "YAML reads a bare yes, no, on or off as true or false: quote the word"
        return f"{_message(error, value)}; {hint}"
    if _takes_quantity(_schema_at(path)):
        return _no_quantity(value)
    return _message(error, value) + ("" if path[-1] != "maxmemoryPolicy" else NO_OTHER_POLICY)


def _takes_quantity(wanted: Mapping[str, Any]) -> bool:
    branches = wanted.get("anyOf", ())
    return wanted.get("pattern") == units.QUANTITY or any(map(_takes_quantity, branches))


def _message(error: Any, value: object) -> str:
    if error.kind.name == "anyOf":
        refusals = [one for branch in error.kind.context for one in branch]
        of_its_type = [one for one in refusals if one.kind.name != "type"]
        return _message((of_its_type or refusals)[0], value)
    if error.kind.name == "pattern":
        return f"{_shown(value)} does not match: {WORDS[error.kind.pattern]}"
    return str(error.message).replace(_VALUE, _shown(value))


def _no_quantity(value: Any) -> str:
    try:
        units.parse_bytes(value)
    except ValueError as error:
        return str(error)
    return f"{_shown(value)} is not a quantity of bytes such as 512Mi or 1.5Gi"


def _shown(value: object) -> str:
    import json  # noqa: PLC0415  4 ms that only a wrong spec pays

    shown = json.dumps(value, ensure_ascii=False)
    return units.shortened(re.sub(r"://[^/]*@", "://…@", shown))  # a password may stand there


def _at(plain: Any, path: Path) -> Any:
    for part in path:
        plain = plain[part]
    return plain


def _place(path: Path) -> str:
    return f"{yamltext.dotted(path)}: " if path else ""


_VALUE = "\0"
"""Stands for the value in jsonschema-rs' messages; no value holds it."""
